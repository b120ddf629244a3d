#pragma once
/// \file New responses given their parameters.

#include <cstdint>
#include <span>

#include "noise.hpp"
#include "predict/response_mean.hpp"

namespace jensen {

/// Random bits as a function of (seed, row, draw): an engine for the distributions of <random>, whatever thread asks.
class ResponseNoise {
 public:
  using result_type = std::uint32_t;
  ResponseNoise(std::uint64_t seed, std::uint32_t row, std::uint32_t draw) : seed_(seed), row_(row), draw_(draw) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() {
    if (next_ % 4 == 0) {
      words_ = philox({{row_, draw_, next_ / 4, static_cast<std::uint32_t>(Purpose::respond) << 24U}}, seed_);
    }
    return words_.w[next_++ % 4];
  }

 private:
  std::uint64_t seed_;
  std::uint32_t row_, draw_;
  std::uint32_t next_ = 0;
  Words words_{};
};

/// A draw of the response, exact; infinite if the mean is, NaN if another parameter is not finite. Not for families
/// with categories.
double random_response(Family family, Link link, const ResponseParameters& p, ResponseNoise& noise);

/// Number of a category, from 1, of these probabilities.
double random_category(std::span<const double> probabilities, ResponseNoise& noise);

}  // namespace jensen
