#pragma once
/// \file Random reshuffling without a table: a keyed bijection of {0..n-1}, one for each (seed, epoch).
///
/// A Feistel network on the smallest number of bits that holds n, walked along its cycle until it lands inside
/// (Black & Rogaway 2002, "Ciphers with arbitrary finite domains"). Expected number of walks below 2 for n > 32; fewer
/// rows walk further, because six rounds on less than 6 bits favour some orders by a tenth.

#include <cstdint>

#include "host_device.hpp"

namespace jensen {

class Shuffle {
 public:
  JENSEN_HD Shuffle(std::uint32_t n, std::uint64_t seed, std::uint64_t epoch) : n_(n) {
    while ((std::uint64_t{1} << (left_bits_ + right_bits_)) < n)
      ++(left_bits_ < right_bits_ ? left_bits_ : right_bits_);
    // Not a multiple of splitmix64's own increment: an epoch's keys would be the last one's, moved on by one round.
    std::uint64_t state = seed ^ (epoch * 0xD1B54A32D192ED03ULL);
    for (auto& key : keys_) {  // splitmix64 (Steele, Lea & Flood 2014)
      state += 0x9E3779B97F4A7C15ULL;
      std::uint64_t x = state;
      x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
      x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
      key = static_cast<std::uint32_t>((x ^ (x >> 31U)) >> 16U);
    }
  }

  /// Image of i < n: again below n, each hit once.
  JENSEN_HD std::uint32_t operator()(std::uint32_t i) const {
    std::uint32_t x = i;
    do {
      x = once(x);
    } while (x >= n_);
    return x;
  }
  JENSEN_HD std::uint32_t size() const { return n_; }

  /// One step of the walk, which may lead outside.
  JENSEN_HD std::uint32_t once(std::uint32_t x) const {
    const std::uint32_t left_mask = (std::uint32_t{1} << left_bits_) - 1U;
    const std::uint32_t right_mask = (std::uint32_t{1} << right_bits_) - 1U;
    std::uint32_t left = x >> right_bits_;
    std::uint32_t right = x & right_mask;
    for (int round = 0; round < rounds; round += 2) {  // each half in turn takes in the other
      left ^= mix(right ^ keys_[round]) & left_mask;
      right ^= mix(left ^ keys_[round + 1]) & right_mask;
    }
    return (left << right_bits_) | right;
  }

 private:
  /// The round function: murmur3's finaliser.
  static JENSEN_HD std::uint32_t mix(std::uint32_t x) {
    x *= 0xCC9E2D51U;
    x = (x ^ (x >> 15U)) * 0x85EBCA6BU;
    return x ^ (x >> 13U);
  }

  static constexpr int rounds = 6;
  std::uint32_t n_;
  std::uint32_t left_bits_ = 3, right_bits_ = 3;  ///< at least: fewer bits mix badly
  std::uint32_t keys_[rounds] = {};
};

}  // namespace jensen
