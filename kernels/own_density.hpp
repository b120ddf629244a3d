#pragma once
/// \file What a user's density is to the kernels: a density as density_value.hpp has it, the only one of its set.

#include "densities/list.hpp"
#include "density_value.hpp"
#include "dual_math.hpp"
#include "term.hpp"

namespace jensen {

/// With derivatives of its own: it is a density already.
template <class Own>
concept AnalyticDensity = requires(const float* numbers) {
  Own::shared;
  Own::evaluate(numbers, 0.0F, Own::prepare(numbers));
};
/// Prepares `prepared` numbers from the arguments after a_0.
template <class Own>
concept PreparingDensity = requires {
  Own::prepared;
};

/// Of terms whose rows are few.
template <class Own>
concept PriorDensity = requires {
  requires Own::prior;
};

template <class Own>
constexpr int argument_count_of() {
  if constexpr (AnalyticDensity<Own>) {
    return 1 + Own::shared;
  } else {
    return Own::arguments;
  }
}

/// A density whose derivatives are those of dual numbers.
template <class Own>
struct DualDensity {
  static constexpr int arguments = Own::arguments;
  static constexpr int shared = arguments - 1;
  static_assert(arguments >= 1 && arguments <= max_arguments, "a density has 1 to 16 arguments");
  static_assert(Own::constants >= 0 && Own::constants <= max_constants, "a density reads at most 3 constants");

  static JENSEN_HD constexpr int prepared_count() {
    if constexpr (PreparingDensity<Own>) {
      return Own::prepared;
    } else {
      return shared;
    }
  }
  /// What Own prepares, each followed by its derivatives by a_1 ..; or just a_1 ...
  static constexpr int used_numbers = prepared_count() * (PreparingDensity<Own> ? arguments : 1);
  static constexpr int prepared_numbers = used_numbers == 3 ? 4 : used_numbers;  // see PreparedLanes
  template <class R>
  struct Prepared {
    R of[prepared_numbers > 0 ? prepared_numbers : 1];
  };

  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    return prepare(others, std::make_integer_sequence<int, shared>{});
  }
  template <class R>
  static JENSEN_HD Value<R, arguments> evaluate(const R* constants, R a0, const Prepared<R>& prepared) {
    return evaluate(constants, a0, prepared, std::make_integer_sequence<int, arguments>{},
                    std::make_integer_sequence<int, shared>{}, std::make_integer_sequence<int, prepared_count()>{});
  }

 private:
  /// Argument `which` of N.
  template <class R, int N, int... K>
  static JENSEN_HD Dual<R, N> argument(R value, int which, std::integer_sequence<int, K...>) {
    return {value, (K == which ? R(1) : R(0))...};
  }
  template <class R, int... A>
  static JENSEN_HD Prepared<R> prepare(const R* others, std::integer_sequence<int, A...> all) {
    Prepared<R> result{};
    if constexpr (!PreparingDensity<Own>) {
      ((result.of[A] = others[A]), ...);
    } else {
      const Dual<R, shared> at[] = {argument<R, shared>(others[A], A, all)...};
      Dual<R, shared> of[Own::prepared];
      Own::prepare(at, of);
      for (int i = 0; i < Own::prepared; ++i) {
        result.of[i * arguments] = of[i].value;
        for (int k = 0; k < shared; ++k) result.of[i * arguments + 1 + k] = of[i].d[k];
      }
    }
    return result;
  }
  template <class R, int... A, int... B, int... P>
  static JENSEN_HD Value<R, arguments> evaluate(const R* constants, R a0, const Prepared<R>& prepared,
                                                std::integer_sequence<int, A...> all, std::integer_sequence<int, B...>,
                                                std::integer_sequence<int, P...>) {
    using T = Dual<R, arguments>;
    if constexpr (PreparingDensity<Own>) {
      const T given[] = {widened<R, B...>(prepared, P)...};
      const T f = Own::log_density(constants, argument<R, arguments>(a0, 0, all), given);
      return {f.value, {f.d[A]...}};
    } else {
      const T a[] = {argument<R, arguments>(a0, 0, all), argument<R, arguments>(prepared.of[B], 1 + B, all)...};
      const T f = Own::log_density(constants, a);
      return {f.value, {f.d[A]...}};
    }
  }
  /// What was prepared does not depend on a_0.
  template <class R, int... B>
  static JENSEN_HD Dual<R, arguments> widened(const Prepared<R>& prepared, int p) {
    return {prepared.of[p * arguments], R(0), prepared.of[p * arguments + 1 + B]...};
  }
};

/// The density as the kernels take it.
template <class Own, bool Analytic = AnalyticDensity<Own>>
struct DensityOf {
  using type = DualDensity<Own>;
};
template <class Own>
struct DensityOf<Own, true> {
  using type = Own;
};

/// D with its shared arguments unprepared: where there is too little room for what D prepares.
template <class D>
struct Unprepared {
  static constexpr int shared = D::shared;
  template <class R>
  struct Prepared {
    R others[shared > 0 ? shared : 1];
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    Prepared<R> result{};
    for (int a = 0; a < shared; ++a) result.others[a] = others[a];
    return result;
  }
  template <class R>
  static JENSEN_HD Value<R, 1 + shared> evaluate(const R* constants, R a0, const Prepared<R>& prepared) {
    return D::evaluate(constants, a0, D::prepare(prepared.others));
  }
};
template <class D, int Floats, bool Fits = sizeof(typename D::template Prepared<float>) <= Floats * sizeof(float)>
struct FittingInto {
  using type = D;
};
template <class D, int Floats>
struct FittingInto<D, Floats, false> {
  using type = Unprepared<D>;
};

/// The set of one density, which prepares at most `Floats` numbers for a sample.
template <class Own, int Floats>
struct OnlyDensity {
  static constexpr bool built_in = false;
  using Density = typename FittingInto<typename DensityOf<Own>::type, Floats>::type;

#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
  template <class F>
  static JENSEN_HD auto with_data(DensityKind, F&& f) {
    return f(Density{});
  }
#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
  template <class F>
  static JENSEN_HD auto with_response(DensityKind, F&& f) {
    return f(Density{});
  }
  template <class R>
  static JENSEN_HD R evaluate(DensityKind, const R* constants, const R* a, int, R* d) {
    const auto value = Density::evaluate(constants, a[0], Density::prepare(a + 1));
    for (int k = 0; k <= Density::shared; ++k) d[k] = value.d[k];
    return value.log_density;
  }
};

}  // namespace jensen
