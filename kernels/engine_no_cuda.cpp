/// \file What stands in for the .cu files in a build without the CUDA toolkit.

#include "bench_device.hpp"
#include "engine.hpp"
#include "limits.hpp"

namespace jensen {
namespace {

[[noreturn]] void refuse() {
  throw DeviceFailure("this build has no CUDA (device cuda): build with the CUDA toolkit, or use --device cpu");
}

}  // namespace

std::unique_ptr<Engine> make_cuda_engine(const EngineSpec&) { refuse(); }
std::unique_ptr<BenchDevice> make_cuda_bench() { refuse(); }
std::unique_ptr<LimitProbe> make_cuda_probe() { refuse(); }
CudaVersions cuda_versions() { return {}; }

std::vector<CudaDevice> cuda_devices(std::string& reason) {
  reason = "this build has no CUDA";
  return {};
}

std::string cuda_build() { return "none"; }

}  // namespace jensen
