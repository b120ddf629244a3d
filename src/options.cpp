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

}  // namespace

std::string_view to_string(GuideKind guide) { return name_of(guides, guide); }
GuideKind parse_guide(std::string_view name) { return value_of(guides, name, "guide", "--guide"); }

std::string_view to_string(Parametrization parametrization) { return name_of(parametrizations, parametrization); }
Parametrization parse_parametrization(std::string_view name) {
  return value_of(parametrizations, name, "parametrization", "--parametrization");
}

std::string_view to_string(DeviceKind device) { return name_of(device_kinds, device); }
DeviceKind parse_device(std::string_view name) { return value_of(device_kinds, name, "device", "--device"); }

}  // namespace jensen
