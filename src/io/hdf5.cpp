#include "io/hdf5.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace jensen::io {
namespace {

constexpr std::size_t memory_increment = std::size_t{1} << 16;
constexpr hsize_t chunk_values = hsize_t{1} << 16;
constexpr unsigned deflate_level = 4;
constexpr hsize_t most_deflated = 1032;  // to one byte: deflate's limit

void check(herr_t status, std::string_view what) {
  if (status < 0) throw Hdf5Error(fmt::format("{} cannot be stored or read", what));
}

/// Keeps HDF5 from printing while we live; a host program's own setting comes back after.
class Silence {
 public:
  Silence() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Silence() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

Hdf5Handle text_type() {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "text type");
  check(H5Tset_size(type, H5T_VARIABLE), "text type");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "text type");
  return type;
}

/// Access to a file that is only in memory.
Hdf5Handle memory_access() {
  Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "file access");
  check(H5Pset_fapl_core(access, memory_increment, false), "file access");
  return access;
}

Hdf5Handle without_times(hid_t property_class) {
  Hdf5Handle properties(H5Pcreate(property_class), H5Pclose, "properties");
  check(H5Pset_obj_track_times(properties, false), "properties");
  return properties;
}

void set_attribute(hid_t group, const std::string& name, hid_t file_type, hid_t memory_type, const void* value) {
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose, name);
  const Hdf5Handle attribute(H5Acreate2(group, name.c_str(), file_type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                             name);
  check(H5Awrite(attribute, memory_type, value), name);
}

void check_class(hid_t type, H5T_class_t wanted, const std::string& name) {
  if (H5Tget_class(type) != wanted || (wanted == H5T_STRING && H5Tis_variable_str(type) <= 0)) {
    throw Hdf5Error(fmt::format("'{}' has another type", name));
  }
}

Hdf5Handle open_attribute(hid_t group, const std::string& name, H5T_class_t wanted) {
  Hdf5Handle attribute(H5Aopen(group, name.c_str(), H5P_DEFAULT), H5Aclose, name);
  const Hdf5Handle type(H5Aget_type(attribute), H5Tclose, name);
  check_class(type, wanted, name);
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose, name);
  if (H5Sget_simple_extent_npoints(space) != 1) throw Hdf5Error(fmt::format("'{}' is not one value", name));
  return attribute;
}

void get_attribute(hid_t group, const std::string& name, H5T_class_t wanted, hid_t memory_type, void* value) {
  const Hdf5Handle attribute = open_attribute(group, name, wanted);
  check(H5Aread(attribute, memory_type, value), name);
}

void write_dataset(hid_t group, const std::string& name, std::span<const hsize_t> shape, hid_t file_type,
                   hid_t memory_type, const void* values, const Hdf5Handle& properties) {
  const Hdf5Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose, name);
  const Hdf5Handle dataset(H5Dcreate2(group, name.c_str(), file_type, space, H5P_DEFAULT, properties, H5P_DEFAULT),
                           H5Dclose, name);
  check(H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), name);
}

void write_dataset(hid_t group, const std::string& name, std::span<const hsize_t> shape, hid_t file_type,
                   hid_t memory_type, const void* values) {
  write_dataset(group, name, shape, file_type, memory_type, values, without_times(H5P_DATASET_CREATE));
}

/// Blocks of rows, each compressed; as it is if it is small or HDF5 was built without zlib.
Hdf5Handle compressed(std::span<const hsize_t> shape, const std::string& name) {
  Hdf5Handle properties = without_times(H5P_DATASET_CREATE);
  if (shape[0] * shape[1] < chunk_values || H5Zfilter_avail(H5Z_FILTER_DEFLATE) <= 0) return properties;
  const hsize_t chunk[] = {std::max<hsize_t>(chunk_values / shape[1], 1), shape[1]};
  check(H5Pset_chunk(properties, 2, chunk), name);
  check(H5Pset_shuffle(properties), name);
  check(H5Pset_deflate(properties, deflate_level), name);
  return properties;
}

struct OpenDataset {
  Hdf5Handle handle;
  std::size_t rows, columns;  ///< of a list: 1 column
};

/// A size without values behind it could ask for any amount of memory.
void check_complete(hid_t dataset, hid_t type, hsize_t size, const std::string& name) {
  const Hdf5Handle properties(H5Dget_create_plist(dataset), H5Pclose, name);
  hsize_t stored = H5Dget_storage_size(dataset);
  if (H5Pget_layout(properties) == H5D_CHUNKED && stored < (hsize_t{1} << 50)) stored *= most_deflated;
  if (size > stored / H5Tget_size(type)) throw Hdf5Error(fmt::format("'{}' is not complete", name));
}

/// Opens a dataset of `rank` dimensions.
OpenDataset open_dataset(hid_t group, const std::string& name, H5T_class_t wanted, int rank) {
  Hdf5Handle dataset(H5Dopen2(group, name.c_str(), H5P_DEFAULT), H5Dclose, name);
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose, name);
  check_class(type, wanted, name);
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, name);
  const int found = H5Sget_simple_extent_ndims(space);
  if (found != rank) throw Hdf5Error(fmt::format("'{}' has {} dimensions", name, found));
  hsize_t shape[2] = {0, 1};
  check(H5Sget_simple_extent_dims(space, shape, nullptr), name);
  if (shape[1] != 0 && shape[0] > std::numeric_limits<hsize_t>::max() / shape[1]) {
    throw Hdf5Error(fmt::format("'{}' is not complete", name));
  }
  check_complete(dataset, type, shape[0] * shape[1], name);
  return {std::move(dataset), static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1])};
}

template <class T>
void read_dataset(hid_t group, const std::string& name, H5T_class_t wanted, hid_t memory_type, int rank,
                  std::vector<T>& values) {
  const OpenDataset dataset = open_dataset(group, name, wanted, rank);
  values.resize(dataset.rows * dataset.columns);
  if (values.empty()) return;
  check(H5Dread(dataset.handle, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), name);
}

}  // namespace

Hdf5Handle::Hdf5Handle(hid_t id, herr_t (*close)(hid_t), std::string_view what) : id_(id), close_(close) {
  if (id < 0) throw Hdf5Error(fmt::format("'{}' is missing or cannot be made", what));
}

Hdf5Group Hdf5Group::create_group(const std::string& name) {
  const Hdf5Handle properties = without_times(H5P_GROUP_CREATE);
  return Hdf5Group(Hdf5Handle(H5Gcreate2(handle_, name.c_str(), H5P_DEFAULT, properties, H5P_DEFAULT), H5Gclose, name));
}
Hdf5Group Hdf5Group::open_group(const std::string& name) const {
  return Hdf5Group(Hdf5Handle(H5Gopen2(handle_, name.c_str(), H5P_DEFAULT), H5Gclose, name));
}

void Hdf5Group::set(const std::string& name, double value) {
  set_attribute(handle_, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}
void Hdf5Group::set(const std::string& name, std::int64_t value) {
  set_attribute(handle_, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}
void Hdf5Group::set(const std::string& name, std::uint64_t value) {
  set_attribute(handle_, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
}
void Hdf5Group::set(const std::string& name, bool value) {
  const std::uint8_t byte = value ? 1 : 0;
  set_attribute(handle_, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, &byte);
}
void Hdf5Group::set(const std::string& name, std::string_view value) {
  const std::string copy(value);
  const char* text = copy.c_str();
  const Hdf5Handle type = text_type();
  set_attribute(handle_, name, type, type, &text);
}

void Hdf5Group::get(const std::string& name, double& value) const {
  get_attribute(handle_, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, &value);
}
void Hdf5Group::get(const std::string& name, std::int64_t& value) const {
  get_attribute(handle_, name, H5T_INTEGER, H5T_NATIVE_INT64, &value);
}
void Hdf5Group::get(const std::string& name, std::uint64_t& value) const {
  get_attribute(handle_, name, H5T_INTEGER, H5T_NATIVE_UINT64, &value);
}
void Hdf5Group::get(const std::string& name, bool& value) const {
  std::uint8_t byte = 0;
  get_attribute(handle_, name, H5T_INTEGER, H5T_NATIVE_UINT8, &byte);
  value = byte != 0;
}
void Hdf5Group::get(const std::string& name, std::string& value) const {
  char* text = nullptr;
  get_attribute(handle_, name, H5T_STRING, text_type(), &text);
  value = text != nullptr ? text : "";
  H5free_memory(text);
}

void Hdf5Group::write(const std::string& name, std::span<const double> values) {
  const hsize_t shape[] = {values.size()};
  write_dataset(handle_, name, shape, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data());
}
void Hdf5Group::write_square(const std::string& name, std::span<const double> values, std::size_t columns) {
  const hsize_t shape[] = {columns, columns};
  if (values.size() != columns * columns) throw Hdf5Error(fmt::format("'{}' has the wrong size", name));
  write_dataset(handle_, name, shape, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data());
}
void Hdf5Group::write(const std::string& name, std::span<const std::int64_t> values) {
  const hsize_t shape[] = {values.size()};
  write_dataset(handle_, name, shape, H5T_STD_I64LE, H5T_NATIVE_INT64, values.data());
}
void Hdf5Group::write(const std::string& name, std::span<const std::string> values) {
  std::vector<const char*> texts;
  for (const std::string& value : values) texts.push_back(value.c_str());
  const hsize_t shape[] = {values.size()};
  const Hdf5Handle type = text_type();
  write_dataset(handle_, name, shape, type, type, texts.data());
}

void Hdf5Group::read(const std::string& name, std::vector<double>& values) const {
  read_dataset(handle_, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, 1, values);
}
void Hdf5Group::read_square(const std::string& name, std::vector<double>& values, std::size_t columns) const {
  read_dataset(handle_, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, 2, values);
  if (values.size() != columns * columns) {
    throw Hdf5Error(fmt::format("'{}' has {} numbers, not {} x {}", name, values.size(), columns, columns));
  }
}
void Hdf5Group::write_matrix(const std::string& name, std::span<const float> values, std::size_t columns) {
  if (columns == 0 || values.size() % columns != 0) throw Hdf5Error(fmt::format("'{}' has the wrong size", name));
  const hsize_t shape[] = {values.size() / columns, columns};
  write_dataset(handle_, name, shape, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values.data(), compressed(shape, name));
}
void Hdf5Group::read_matrix(const std::string& name, std::vector<float>& values) const {
  read_dataset(handle_, name, H5T_FLOAT, H5T_NATIVE_FLOAT, 2, values);
}
void Hdf5Group::read(const std::string& name, std::vector<std::int64_t>& values) const {
  read_dataset(handle_, name, H5T_INTEGER, H5T_NATIVE_INT64, 1, values);
}
void Hdf5Group::read(const std::string& name, std::vector<std::string>& values) const {
  std::vector<char*> texts;
  read_dataset(handle_, name, H5T_STRING, text_type(), 1, texts);
  values.clear();
  for (char* text : texts) {
    values.emplace_back(text != nullptr ? text : "");
    H5free_memory(text);
  }
}

std::string write_hdf5(const std::function<void(Hdf5Group&)>& fill) {
  const Silence silence;
  const Hdf5Handle access = memory_access();
  const Hdf5Handle creation = without_times(H5P_FILE_CREATE);
  const Hdf5Handle file(H5Fcreate("jensen-write", H5F_ACC_TRUNC, creation, access), H5Fclose, "file");
  {
    Hdf5Group root(Hdf5Handle(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "/"));
    fill(root);
  }
  check(H5Fflush(file, H5F_SCOPE_GLOBAL), "file");
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  if (size <= 0) throw Hdf5Error("the file cannot be made");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (H5Fget_file_image(file, bytes.data(), bytes.size()) != size) throw Hdf5Error("the file cannot be made");
  return bytes;
}

void read_hdf5(std::string_view bytes, const std::function<void(const Hdf5Group&)>& use) {
  const Silence silence;
  const Hdf5Handle access = memory_access();
  // HDF5 copies the image, and leaves ours as it is.
  check(H5Pset_file_image(access, const_cast<char*>(bytes.data()), bytes.size()), "file");
  const Hdf5Handle file(H5Fopen("jensen-read", H5F_ACC_RDONLY, access), H5Fclose, "file");
  const Hdf5Group root(Hdf5Handle(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "/"));
  use(root);
}

}  // namespace jensen::io
