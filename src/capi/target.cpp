#include <cmath>
#include <cstdint>
#include <utility>

#include "capi/callback.hpp"
#include "capi/handles.hpp"

using jensen::Batch;
using jensen::DeviceKind;
using jensen::InputError;
using jensen::Target;
using jensen::TargetModel;
using jensen::Trainer;
using jensen::Transform;
using jensen::capi::guarded;
using jensen::capi::require;

namespace {

class CallbackTarget : public Target {
 public:
  explicit CallbackTarget(const jensen_target& made)
      : density_(made.density), user_(made.user), has_gradient_(made.has_gradient), device_(made.device) {}

  bool has_gradient() const override { return has_gradient_; }
  DeviceKind device() const override { return device_; }

  void evaluate(const double* theta, std::size_t samples, std::size_t dimension, const Batch& batch,
                double* log_density, double* gradient) override {
    const jensen_batch told = {batch.rows, batch.first, batch.count, batch.scale, batch.stream};
    const std::uint64_t before = jensen::capi::times_set();
    const int status = jensen::capi::call_back("the target's density", [&] {
      return density_(theta, samples, dimension, &told, log_density, gradient, user_);
    });
    if (status == 0) return;
    throw jensen::capi::CallbackError("the target's density returned " + std::to_string(status) + ": " +
                                      jensen::capi::reason_since(before));
  }

 private:
  jensen_density density_;
  void* user_;
  bool has_gradient_;
  DeviceKind device_;
};

Transform transform_of(int support) {
  switch (support) {
    case JENSEN_REAL:
      return Transform::identity;
    case JENSEN_POSITIVE:
      return Transform::exponential;
    case JENSEN_UNIT:
      return Transform::logistic;
    case JENSEN_INCREASING:
      return Transform::increment;
    default:
      throw InputError("there is no support " + std::to_string(support) + "; give one of jensen_support");
  }
}

/// Starts of which all are NaN are none.
TargetModel model_of(const jensen_target& target) {
  TargetModel model = target.model;
  bool any = false;
  for (const double start : model.start) any = any || !std::isnan(start);
  if (!any) model.start.clear();
  return model;
}

}  // namespace

int jensen_target_create(jensen_density density, int has_gradient, void* user, jensen_target** target) {
  return guarded([&] {
    require(density, "density");
    require(target, "target");
    *target = new jensen_target{.density = density, .user = user, .has_gradient = has_gradient != 0, .model = {}};
  });
}
void jensen_target_free(jensen_target* target) { delete target; }

int jensen_target_add(jensen_target* target, const char* name, int support, double start, double scale) {
  return guarded([&] {
    require(target, "target");
    require(name, "name");
    TargetModel model = target->model;
    model.parameters.push_back({name, transform_of(support)});
    model.start.push_back(start);
    model.scale.push_back(std::isnan(scale) ? 1 : scale);
    target->model = std::move(model);
  });
}

int jensen_target_set_rows(jensen_target* target, int64_t rows) {
  return guarded([&] {
    require(target, "target");
    target->model.rows = rows;
  });
}

int jensen_target_set_device(jensen_target* target, const char* device) {
  return guarded([&] {
    require(target, "target");
    require(device, "device");
    const DeviceKind kind = jensen::parse_device(device);
    if (kind == DeviceKind::automatic) throw InputError("the device of a target cannot be auto; give cpu or cuda");
    target->device = kind;
  });
}

int jensen_trainer_create_target(const jensen_target* target, const jensen_options* options,
                                 const jensen_execution* execution, jensen_trainer** trainer) {
  return guarded([&] {
    require(target, "target");
    require(trainer, "trainer");
    auto calling = std::make_unique<CallbackTarget>(*target);
    auto [memory, used] = jensen::capi::execution_of(execution);
    Trainer made(*calling, model_of(*target), jensen::capi::options_of(options), used);
    *trainer = new jensen_trainer{std::move(calling), std::move(memory), std::move(made)};
  });
}
