#pragma once
/// \file What this build is and what it finds on this machine.

#include <string>
#include <vector>

#include "jensen/export.h"

namespace jensen {

struct DeviceInfo {
  std::string name;    ///< "cpu" or the GPU's name
  std::string detail;  ///< instruction set and threads, or compute capability and memory
};

struct BuildInfo {
  std::string version;
  std::string compiler;
  std::string cuda;  ///< "13.0, sm_80 sm_90", or "none"
  std::string thrust;
  std::string commit;  ///< that was checked out, "-dirty" if files differed from it; "unknown" without git
};
JENSEN_API BuildInfo build_info();
/// Usable devices, the CPU first. Never throws for want of a GPU.
JENSEN_API std::vector<DeviceInfo> devices();
/// Why no GPU is used, in one line; empty if there is one.
JENSEN_API std::string cuda_unavailable_reason();

}  // namespace jensen
