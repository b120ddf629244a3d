#include "device.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "jensen/errors.hpp"

namespace jensen {
namespace {

/// Memory of the caller's. Throws ThrownByCaller; DeviceError: there is none; InputError: it is not aligned as the CPU
/// needs it.
void* checked(MemoryResource& memory, std::size_t bytes, void* stream) {
  constexpr std::uintptr_t alignment = 64;
  void* given = nullptr;
  try {
    given = memory.allocate(bytes, stream);
  } catch (...) {
    throw ThrownByCaller{std::current_exception()};
  }
  if (given == nullptr) {
    throw DeviceError(fmt::format(
        "no memory of {} bytes (MemoryResource::allocate); give it more, or use fewer samples or rows", bytes));
  }
  const bool on_cpu = stream == nullptr;
  if (on_cpu && reinterpret_cast<std::uintptr_t>(given) % alignment != 0) {
    memory.release(given, bytes, stream);
    throw InputError(fmt::format("memory at {} (MemoryResource::allocate); align it to {} bytes", given, alignment));
  }
  return given;
}

}  // namespace

Chosen make_engine_for(DeviceKind device, const EngineSpec& spec, std::vector<std::string>& notes) try {
  std::string reason;
  const std::vector<CudaDevice> gpus = device == DeviceKind::cpu ? std::vector<CudaDevice>{} : cuda_devices(reason);
  if (!gpus.empty()) {
    const auto number = static_cast<std::size_t>(std::max(spec.execution.device, 0));
    return {make_cuda_engine(spec), gpus[std::min(number, gpus.size() - 1)].name};
  }
  if (device == DeviceKind::cuda)
    throw DeviceError(fmt::format("no CUDA device: {} (--device cuda); use --device cpu", reason));
  if (device == DeviceKind::automatic && cuda_build() != "none")
    notes.push_back(fmt::format("no GPU is used: {}", reason));
  const int threads = spec.threads > 0 ? spec.threads : omp_get_max_threads();
  return {make_cpu_engine(spec), fmt::format("cpu, {} thread{}", threads, threads == 1 ? "" : "s")};
} catch (const std::invalid_argument& failure) {  // a density that was not compiled for this device
  throw InputError(failure.what());
}

EngineExecution engine_execution(const Execution& execution) {
  if (execution.device < -1) {
    throw InputError(fmt::format("GPU {} (Execution::device); give its number from 0, or -1", execution.device));
  }
  EngineExecution out{.stream = execution.stream, .device = execution.device, .context = execution.memory};
  if (execution.memory == nullptr) return out;
  out.allocate = [](void* memory, std::size_t bytes, void* stream) {
    return checked(*static_cast<MemoryResource*>(memory), bytes, stream);
  };
  out.release = [](void* memory, void* what, std::size_t bytes, void* stream) {
    static_cast<MemoryResource*>(memory)->release(what, bytes, stream);
  };
  return out;
}

ThreadCount::ThreadCount(int threads) : before_(omp_get_max_threads()) {
  if (threads > 0) omp_set_num_threads(threads);
}
ThreadCount::~ThreadCount() { omp_set_num_threads(before_); }

}  // namespace jensen
