#pragma once
/// \file Which GPUs a build has code for.

#include <algorithm>
#include <string>
#include <string_view>

namespace jensen {

/// Whether code for `architectures`, as CMake lists them ("80;90-real"), runs on a GPU of this compute capability:
/// machine code on later minor versions of its major one, PTX on whatever is later. Words like "native" are taken to.
inline bool runs_on(std::string_view architectures, int major, int minor) {
  const int device = 10 * major + minor;
  while (!architectures.empty()) {
    const std::string_view one = architectures.substr(0, architectures.find_first_of("; "));
    architectures.remove_prefix(std::min(one.size() + 1, architectures.size()));
    const std::string_view digits = one.substr(0, one.find_first_not_of("0123456789"));
    if (digits.empty()) {
      if (!one.empty()) return true;
      continue;
    }
    const int version = std::stoi(std::string(digits));
    const bool specific = one.size() > digits.size() && one[digits.size()] != '-';  // 90a
    const bool machine = one.find("-virtual") == one.npos, ptx = one.find("-real") == one.npos;
    if (specific ? version == device
                 : (machine && version / 10 == major && version <= device) || (ptx && version <= device)) {
      return true;
    }
  }
  return false;
}

}  // namespace jensen
