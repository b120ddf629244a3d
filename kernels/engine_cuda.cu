#include "backend_cuda.cuh"
#include "cuda_architectures.hpp"
#include "engine_impl.hpp"

namespace jensen {

namespace {

bool has_code_for(const CudaDevice& device) { return runs_on(JENSEN_CUDA_ARCHITECTURES, device.major, device.minor); }
std::string no_code_for(const CudaDevice& device) {
  return "this build has code for " JENSEN_CUDA_ARCHITECTURES ", not for " + device.name + " (" +
         std::to_string(device.major) + std::to_string(device.minor) + ")";
}

}  // namespace

std::unique_ptr<Engine> make_cuda_engine(const EngineSpec& spec) {
  std::string reason;
  const std::vector<CudaDevice> devices = cuda_devices(reason);
  const auto count = static_cast<int>(devices.size());
  if (count == 0) throw DeviceFailure(reason + " (device cuda); use --device cpu");
  EngineExecution execution = spec.execution;
  if (execution.device < 0) check(cudaGetDevice(&execution.device), "cudaGetDevice");
  if (execution.device >= count) {
    throw DeviceFailure("GPU " + std::to_string(execution.device) + " of " + std::to_string(count) +
                        " (Execution::device); numbers begin at 0");
  }
  const CudaDevice& device = devices[static_cast<std::size_t>(execution.device)];
  if (!has_code_for(device)) throw DeviceFailure(no_code_for(device) + " (device cuda); use --device cpu");
  return make_engine(std::make_unique<CudaBackend>(execution, spec.precision), spec);
}

std::vector<CudaDevice> cuda_devices(std::string& reason) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    reason = status == cudaSuccess ? "no GPU" : cudaGetErrorString(status);
    cudaGetLastError();  // clears the error, which is no failure of ours
    return {};
  }
  int current = -1;
  check(cudaGetDevice(&current), "cudaGetDevice");
  std::vector<CudaDevice> devices;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, i), "cudaGetDeviceProperties");
    devices.push_back({properties.name, properties.major, properties.minor, properties.totalGlobalMem, i == current});
  }
  if (std::none_of(devices.begin(), devices.end(), has_code_for)) {
    reason = no_code_for(devices.front());
    return {};
  }
  return devices;
}

std::string cuda_build() { return JENSEN_CUDA_VERSION ", architectures " JENSEN_CUDA_ARCHITECTURES; }

}  // namespace jensen
