#pragma once
/// \file The little of HDF5 that fit.h5 needs: a file in memory, groups, attributes, and arrays.

#include <hdf5.h>

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jensen::io {

/// Something of the file is missing, is of another type, or cannot be read. Says what; who catches it says where.
class Hdf5Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Owns an HDF5 identifier.
class Hdf5Handle {
 public:
  /// Throws Hdf5Error about `what` if `id` is not valid.
  Hdf5Handle(hid_t id, herr_t (*close)(hid_t), std::string_view what);
  ~Hdf5Handle() { reset(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor): HDF5 functions take it as the id
  void reset() {
    if (id_ >= 0) close_(std::exchange(id_, H5I_INVALID_HID));
  }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// A group and what hangs on it. Numbers are stored as little-endian 64 bits unless said
/// otherwise, text as variable-length UTF-8.
class Hdf5Group {
 public:
  explicit Hdf5Group(Hdf5Handle handle) : handle_(std::move(handle)) {}
  Hdf5Group create_group(const std::string& name);
  Hdf5Group open_group(const std::string& name) const;

  void set(const std::string& name, double value);
  void set(const std::string& name, std::int64_t value);
  void set(const std::string& name, std::uint64_t value);
  void set(const std::string& name, bool value);
  void set(const std::string& name, std::string_view value);
  void get(const std::string& name, double& value) const;
  void get(const std::string& name, std::int64_t& value) const;
  void get(const std::string& name, std::uint64_t& value) const;
  void get(const std::string& name, bool& value) const;
  void get(const std::string& name, std::string& value) const;

  /// Datasets; `columns` makes a matrix of that many columns, stored by rows.
  void write(const std::string& name, std::span<const double> values);
  void write_square(const std::string& name, std::span<const double> values, std::size_t columns);
  void write(const std::string& name, std::span<const std::int64_t> values);
  void write(const std::string& name, std::span<const std::string> values);
  void read(const std::string& name, std::vector<double>& values) const;
  void read_square(const std::string& name, std::vector<double>& values, std::size_t columns) const;
  /// A matrix of 32-bit numbers of any number of rows; large ones are compressed.
  void write_matrix(const std::string& name, std::span<const float> values, std::size_t columns);
  void read_matrix(const std::string& name, std::vector<float>& values) const;
  void read(const std::string& name, std::vector<std::int64_t>& values) const;
  void read(const std::string& name, std::vector<std::string>& values) const;

 private:
  Hdf5Handle handle_;
};

/// The bytes of an HDF5 file with what `fill` writes: the same for the same calls, as no times are stored.
std::string write_hdf5(const std::function<void(Hdf5Group&)>& fill);
/// Calls `use` with the root group of the HDF5 file that `bytes` are.
void read_hdf5(std::string_view bytes, const std::function<void(const Hdf5Group&)>& use);

}  // namespace jensen::io
