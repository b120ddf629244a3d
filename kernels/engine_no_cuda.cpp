/// \file What stands in for engine_cuda.cu in a build without the CUDA toolkit.

#include "engine.hpp"

namespace jensen {

std::unique_ptr<Engine> make_cuda_engine(const EngineSpec&) {
  throw DeviceFailure("this build has no CUDA (device cuda): build with the CUDA toolkit, or use --device cpu");
}

std::vector<CudaDevice> cuda_devices(std::string& reason) {
  reason = "this build has no CUDA";
  return {};
}

std::string cuda_build() { return "none"; }

}  // namespace jensen
