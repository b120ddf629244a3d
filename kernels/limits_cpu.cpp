#include "limits.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string_view>

#include "backend_cpu.hpp"
#include "buffer.hpp"
#include "data_term_cpu.hpp"
#include "limits_cpu_isa.hpp"

namespace jensen {
namespace {

struct Loops {
  decltype(&baseline::sum_floats) sum;
  decltype(&baseline::multiply_add_chains) chains;
  decltype(&baseline::multiply_add_operations) operations;
};

/// The same instruction set that the data terms run on.
Loops choose_loops() {
#if defined(__x86_64__)
  const std::string_view isa = data_term_cpu_isa();
  if (isa == "avx512") return {avx512::sum_floats, avx512::multiply_add_chains, avx512::multiply_add_operations};
  if (isa == "avx2") return {avx2::sum_floats, avx2::multiply_add_chains, avx2::multiply_add_operations};
#endif
  return {baseline::sum_floats, baseline::multiply_add_chains, baseline::multiply_add_operations};
}

class CpuProbe final : public LimitProbe {
 public:
  CpuProbe(int threads, std::size_t cache)
      : threads_(threads > 0 ? threads : omp_get_max_threads()),
        cache_(cache),
        loops_(choose_loops()),
        count_(static_cast<std::int64_t>(std::clamp<std::size_t>(4 * cache, least, most) / sizeof(float))),
        from_(backend_, static_cast<std::size_t>(count_)),
        to_(backend_, static_cast<std::size_t>(count_)) {
    // Touched first by the threads that will read: where there are several memories, each is near its own.
    in_parts(count_, [&](std::int64_t begin, std::int64_t end) {
      std::fill(from_.data() + begin, from_.data() + end, 1.0F);
      std::fill(to_.data() + begin, to_.data() + end, 0.0F);
    });
  }

  double read_bandwidth() override { return read_bandwidth(count_, 1); }
  double cached_read_bandwidth(std::size_t bytes) override {
    const auto count = std::clamp(static_cast<std::int64_t>(bytes / sizeof(float)), least_count, count_);
    read_bandwidth(count, cache_warm_ups);
    return read_bandwidth(count, 1 + count_ / count / 8);  // an eighth of what read_bandwidth() reads, or once
  }
  double copy_bandwidth() override {
    const double seconds = in_parts(count_, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(to_.data() + begin, from_.data() + begin, static_cast<std::size_t>(end - begin) * sizeof(float));
    });
    return 2.0 * static_cast<double>(count_) * sizeof(float) / seconds;
  }
  double fp32_rate() override {
    constexpr std::int64_t rounds = 2'000'000;  // about ten milliseconds: longer than a scheduler's slice
    const double seconds = in_parts(count_, [&](std::int64_t, std::int64_t) { keep(loops_.chains(rounds, 1)); });
    return static_cast<double>(threads_) * static_cast<double>(loops_.operations(rounds)) / seconds;
  }
  double matrix_rate() override { return fp32_rate(); }
  std::string matrix_kind() const override { return "fp32"; }
  std::size_t cache_bytes() const override { return cache_; }
  std::size_t free_memory() const override { return 0; }

 private:
  // Four times the last cache, so that little of the array is found there; bounded for machines that share a huge one.
  static constexpr std::size_t least = std::size_t{64} << 20U, most = std::size_t{1} << 30U;

  static constexpr std::int64_t least_count = std::int64_t{1} << 18U;  ///< a megabyte

  double read_bandwidth(std::int64_t count, std::int64_t times) {
    const double seconds = in_parts(count, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 0; i < times; ++i) keep(loops_.sum(from_.data() + begin, end - begin));
    });
    return static_cast<double>(count * times) * sizeof(float) / seconds;
  }

  /// Seconds that all threads take for their parts of `count` numbers.
  template <class F>
  double in_parts(std::int64_t count, F f) {
    double seconds = 0;
#pragma omp parallel num_threads(threads_)
    {
      const std::int64_t t = omp_get_thread_num(), n = omp_get_num_threads();
#pragma omp barrier
      const auto begin = std::chrono::steady_clock::now();
      f(count / 16 * t / n * 16, t + 1 == n ? count : count / 16 * (t + 1) / n * 16);
#pragma omp barrier
#pragma omp master
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    return seconds;
  }
  /// So that the loops are not optimised away.
  void keep(float value) {
#pragma omp atomic write
    sink_ = value;
  }

  int threads_;
  std::size_t cache_;
  Loops loops_;
  std::int64_t count_;
  CpuBackend backend_{threads_};
  Buffer<CpuBackend, float> from_, to_;  // as the terms' columns are: in large pages where the system has them
  float sink_ = 0;
};

}  // namespace

std::unique_ptr<LimitProbe> make_cpu_probe(int threads, std::size_t cache_bytes) {
  return std::make_unique<CpuProbe>(threads, cache_bytes);
}

}  // namespace jensen
