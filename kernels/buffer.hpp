#pragma once
/// \file Memory of one device: allocated once, move-only.

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace jensen {

/// `count` values of T in the backend's memory. The backend must outlive it.
template <class Backend, class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Backend& backend, std::size_t count) : backend_(&backend), count_(count) {
    if (count > 0) data_ = static_cast<T*>(backend.allocate(count * sizeof(T)));
  }
  Buffer(Backend& backend, std::span<const T> host) : Buffer(backend, host.size()) { upload(host); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (data_ != nullptr) backend_->release(data_, count_ * sizeof(T));
  }

  T* data() const { return data_; }
  std::size_t size() const { return count_; }
  void upload(std::span<const T> host) {
    if (!host.empty()) backend_->upload(data_, host.data(), host.size() * sizeof(T));
  }
  /// Waits for the work enqueued before.
  std::vector<T> download() const {
    std::vector<T> host(count_);
    if (count_ > 0) backend_->download(host.data(), data_, count_ * sizeof(T));
    return host;
  }
  void zero() {
    if (count_ > 0) backend_->zero(data_, count_ * sizeof(T));
  }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
  }
  Backend* backend_ = nullptr;
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace jensen
