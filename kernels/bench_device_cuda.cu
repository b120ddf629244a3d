#include "backend_cuda.cuh"
#include "bench_device_impl.hpp"

namespace jensen {

std::unique_ptr<BenchDevice> make_cuda_bench() {
  std::string reason;
  if (cuda_devices(reason).empty()) throw DeviceFailure(reason + " (device cuda); use --device cpu");
  return std::make_unique<BenchDeviceOf<CudaBackend>>(
      std::make_unique<CudaBackend>(EngineExecution{.device = 0}, Precision::fp32));
}

}  // namespace jensen
