#include "jensen/info.hpp"

#include <fmt/format.h>
#include <omp.h>

#include "build_commit.hpp"
#include "data_term_cpu.hpp"
#include "engine.hpp"

namespace jensen {

BuildInfo build_info() {
#if defined(__clang__)
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  return {JENSEN_VERSION, compiler, cuda_build(), thrust_build(), build_commit()};
}

std::vector<DeviceInfo> devices() {
  const int threads = omp_get_max_threads();
  std::vector<DeviceInfo> out{
      {"cpu", fmt::format("{}, {} thread{}", data_term_cpu_isa(), threads, threads == 1 ? "" : "s")}};
  std::string reason;
  for (const CudaDevice& device : cuda_devices(reason)) {
    out.push_back({device.name, fmt::format("compute capability {}.{}, {:.1f} GiB", device.major, device.minor,
                                            static_cast<double>(device.memory) / (1024.0 * 1024 * 1024))});
  }
  return out;
}

std::string cuda_unavailable_reason() {
  std::string reason;
  cuda_devices(reason);
  return reason;
}

}  // namespace jensen
