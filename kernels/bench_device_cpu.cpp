#include "backend_cpu.hpp"
#include "bench_device_impl.hpp"

namespace jensen {

std::unique_ptr<BenchDevice> make_cpu_bench(int threads) {
  return std::make_unique<BenchDeviceOf<CpuBackend>>(std::make_unique<CpuBackend>(threads));
}

}  // namespace jensen
