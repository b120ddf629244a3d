#include <thrust/version.h>

#include "backend_cpu.hpp"
#include "engine_impl.hpp"

namespace jensen {

std::unique_ptr<Engine> make_cpu_engine(const EngineSpec& spec) {
  return make_engine(std::make_unique<CpuBackend>(spec.threads, spec.execution), spec);
}

std::string thrust_build() {
  return std::to_string(THRUST_MAJOR_VERSION) + "." + std::to_string(THRUST_MINOR_VERSION) + "." +
         std::to_string(THRUST_SUBMINOR_VERSION);
}

}  // namespace jensen
