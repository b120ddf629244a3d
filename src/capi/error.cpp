#include <cstdint>
#include <string>

#include "capi/callback.hpp"
#include "capi/handles.hpp"

namespace {

struct LastError {
  std::string text;
  const char* shown = "";   ///< `text`, or a constant where there was no memory for it
  std::uint64_t times = 0;  ///< it was set
};
thread_local LastError last_error;

}  // namespace

int jensen_abi_version(void) { return JENSEN_ABI_VERSION; }
const char* jensen_version(void) { return JENSEN_VERSION; }

const char* jensen_last_error(void) { return last_error.shown; }

std::uint64_t jensen::capi::times_set() { return last_error.times; }

void jensen_set_last_error(const char* message) {
  ++last_error.times;
  try {
    last_error.text = message != nullptr ? message : "";
    last_error.shown = last_error.text.c_str();
  } catch (...) {
    last_error.shown = "out of memory";
  }
}
