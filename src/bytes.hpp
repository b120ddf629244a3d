#pragma once
/// \file Values as bytes, out and in again, and a hash of them.

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace jensen {

/// 64 bits that any change of the bytes changes, all but surely (by chance 2^-64). Not against an adversary. Words go
/// into four lanes by turns, each a multiplication by an odd constant and a rotation, so a table is read at the speed
/// of memory; the lanes are mixed at the end (Steele & Vigna 2021, "Computationally easy, spectrally good
/// multipliers", for the constants).
class Hash {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void add(T value) {
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    mix(0, word);
    mix(1, sizeof value);
  }
  void add_bytes(std::span<const std::byte> bytes);
  std::uint64_t value() const;

 private:
  void mix(int lane, std::uint64_t word) {
    const std::uint64_t x = (lanes_[lane] ^ word) * 0xD1342543DE82EF95U;
    lanes_[lane] = (x << 29U) | (x >> 35U);
  }
  std::uint64_t lanes_[4] = {0x9E3779B97F4A7C15U, 0xBF58476D1CE4E5B9U, 0x94D049BB133111EBU, 0x2545F4914F6CDD1DU};
};
std::uint64_t hash_of(std::span<const std::byte> bytes);

/// Appends values to bytes, in this machine's order.
class ByteWriter {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& value) { put_bytes(std::as_bytes(std::span(&value, 1))); }
  /// The count, then the values.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const std::vector<T>& values) {
    put(static_cast<std::uint64_t>(values.size()));
    put_bytes(std::as_bytes(std::span(values)));
  }
  void put_bytes(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// Takes them back in the same order. Once there are too few bytes, every value is zero or empty and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : left_(bytes) {}
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void take(T& value) {
    if (const auto from = cut(sizeof(T)); ok_) std::memcpy(&value, from.data(), sizeof(T));
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void take(std::vector<T>& values) {
    std::uint64_t count = 0;
    take(count);
    if (count > left_.size() / sizeof(T)) ok_ = false;
    const auto from = cut(static_cast<std::size_t>(ok_ ? count : 0) * sizeof(T));
    values.resize(from.size() / sizeof(T));
    if (!from.empty()) std::memcpy(values.data(), from.data(), from.size());
  }
  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }

 private:
  std::span<const std::byte> cut(std::size_t count) {
    ok_ = ok_ && count <= left_.size();
    if (!ok_) return {};
    const auto out = left_.first(count);
    left_ = left_.subspan(count);
    return out;
  }
  std::span<const std::byte> left_;
  bool ok_ = true;
};

}  // namespace jensen
