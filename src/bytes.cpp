#include "bytes.hpp"

namespace jensen {

void Hash::add_bytes(std::span<const std::byte> bytes) {
  std::size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32) {
    std::uint64_t words[4];
    std::memcpy(words, bytes.data() + i, sizeof words);
    for (int lane = 0; lane < 4; ++lane) mix(lane, words[lane]);
  }
  std::uint64_t rest[4] = {};
  if (i < bytes.size()) std::memcpy(rest, bytes.data() + i, bytes.size() - i);
  for (int lane = 0; lane < 4; ++lane) mix(lane, rest[lane]);
  add(bytes.size());
}

std::uint64_t Hash::value() const {
  std::uint64_t all = 0;
  for (const std::uint64_t lane : lanes_) {
    all = (all ^ lane) * 0xAF251AF3B0F025B5U;
    all ^= all >> 32U;
  }
  return all;
}

std::uint64_t hash_of(std::span<const std::byte> bytes) {
  Hash hash;
  hash.add_bytes(bytes);
  return hash.value();
}

}  // namespace jensen
