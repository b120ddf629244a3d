#pragma once
/// \file Memory of one thread, cut into arrays that start at a cache line each.

#include <cstddef>
#include <cstdint>

#include "host_device.hpp"

namespace jensen::JENSEN_ISA {
namespace {

/// Cuts from `memory`, aligned to 64 bytes; from null it only counts.
class ScratchCutter {
 public:
  JENSEN_HD explicit ScratchCutter(void* memory) : memory_(static_cast<char*>(memory)) {}
  template <class T>
  JENSEN_HD T* take(std::size_t count) {
    const std::size_t at = used_;
    used_ += (count * sizeof(T) + 63) / 64 * 64;
    return memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + at);
  }
  JENSEN_HD std::size_t bytes() const { return used_; }

 private:
  char* memory_;
  std::size_t used_ = 0;
};

}  // namespace
}  // namespace jensen::JENSEN_ISA
