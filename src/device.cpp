#include "device.hpp"

#include <fmt/format.h>
#include <omp.h>

#include "jensen/errors.hpp"

namespace jensen {

Chosen make_engine_for(DeviceKind device, const EngineSpec& spec, std::vector<std::string>& notes) {
  std::string reason;
  const std::vector<CudaDevice> gpus = device == DeviceKind::cpu ? std::vector<CudaDevice>{} : cuda_devices(reason);
  if (!gpus.empty()) return {make_cuda_engine(spec), gpus.front().name};
  if (device == DeviceKind::cuda)
    throw DeviceError(fmt::format("no CUDA device: {} (--device cuda); use --device cpu", reason));
  if (device == DeviceKind::automatic && cuda_build() != "none")
    notes.push_back(fmt::format("no GPU is used: {}", reason));
  const int threads = spec.threads > 0 ? spec.threads : omp_get_max_threads();
  return {make_cpu_engine(spec), fmt::format("cpu, {} thread{}", threads, threads == 1 ? "" : "s")};
}

ThreadCount::ThreadCount(int threads) : before_(omp_get_max_threads()) {
  if (threads > 0) omp_set_num_threads(threads);
}
ThreadCount::~ThreadCount() { omp_set_num_threads(before_); }

}  // namespace jensen
