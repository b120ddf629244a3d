#pragma once
/// \file Random reshuffling without a table: a keyed bijection of {0..n-1}, one for each (seed, epoch).
///
/// A Feistel network on the smallest even number of bits that holds n, walked along its cycle until it lands inside
/// (Black & Rogaway 2002, "Ciphers with arbitrary finite domains"). Expected number of walks below 4 for n > 16; fewer
/// rows walk further, because six rounds on less than 6 bits favour some orders by a tenth.

#include <cstdint>

#include "host_device.hpp"

namespace jensen {

class Shuffle {
 public:
  JENSEN_HD Shuffle(std::uint32_t n, std::uint64_t seed, std::uint64_t epoch) : n_(n) {
    while (half_bits_ < 16 && (std::uint64_t{1} << (2U * half_bits_)) < n) ++half_bits_;
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
      x = encrypt(x);
    } while (x >= n_);
    return x;
  }

 private:
  JENSEN_HD std::uint32_t encrypt(std::uint32_t x) const {
    const std::uint32_t mask = (std::uint32_t{1} << half_bits_) - 1U;
    std::uint32_t left = x >> half_bits_;
    std::uint32_t right = x & mask;
    for (const std::uint32_t key : keys_) {
      std::uint32_t mixed = (right ^ key) * 0xCC9E2D51U;  // round function: murmur3's finaliser
      mixed = (mixed ^ (mixed >> 15U)) * 0x85EBCA6BU;
      mixed ^= mixed >> 13U;
      const std::uint32_t next = left ^ (mixed & mask);
      left = right;
      right = next;
    }
    return (left << half_bits_) | right;
  }

  std::uint32_t n_;
  std::uint32_t half_bits_ = 3;
  std::uint32_t keys_[6] = {};
};

}  // namespace jensen
