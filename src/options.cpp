#include "jensen/options.hpp"

#include "text.hpp"

namespace jensen {
namespace {

constexpr std::array<Named<GuideKind>, 4> guides{{{"auto", GuideKind::automatic},
                                                  {"meanfield", GuideKind::meanfield},
                                                  {"fullrank", GuideKind::fullrank},
                                                  {"structured", GuideKind::structured}}};
constexpr std::array<Named<Parametrization>, 3> parametrizations{{{"auto", Parametrization::automatic},
                                                                  {"centered", Parametrization::centered},
                                                                  {"noncentered", Parametrization::noncentered}}};
constexpr std::array<Named<DeviceKind>, 3> device_kinds{
    {{"auto", DeviceKind::automatic}, {"cpu", DeviceKind::cpu}, {"cuda", DeviceKind::cuda}}};
constexpr std::array<Named<StorageKind>, 3> storages{
    {{"float32", StorageKind::float32}, {"float16", StorageKind::float16}, {"bfloat16", StorageKind::bfloat16}}};
constexpr std::array<Named<PrecisionKind>, 2> precisions{
    {{"fp32", PrecisionKind::fp32}, {"tf32", PrecisionKind::tf32}}};

}  // namespace

std::string_view to_string(GuideKind guide) { return name_of(guides, guide); }
GuideKind parse_guide(std::string_view name) { return value_of(guides, name, "guide", "--guide"); }

std::string_view to_string(Parametrization parametrization) { return name_of(parametrizations, parametrization); }
Parametrization parse_parametrization(std::string_view name) {
  return value_of(parametrizations, name, "parametrization", "--parametrization");
}

std::string_view to_string(DeviceKind device) { return name_of(device_kinds, device); }
DeviceKind parse_device(std::string_view name) { return value_of(device_kinds, name, "device", "--device"); }

std::string_view to_string(StorageKind storage) { return name_of(storages, storage); }
StorageKind parse_storage(std::string_view name) { return value_of(storages, name, "storage", "--storage"); }

std::string_view to_string(PrecisionKind precision) { return name_of(precisions, precision); }
PrecisionKind parse_precision(std::string_view name) { return value_of(precisions, name, "precision", "--precision"); }

}  // namespace jensen
