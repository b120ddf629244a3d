#include "capi/handles.hpp"

using jensen::capi::guarded;
using jensen::capi::require;

int jensen_options_create(jensen_options** options) {
  return guarded([&] {
    require(options, "options");
    *options = new jensen_options{};
  });
}
void jensen_options_free(jensen_options* options) { delete options; }

int jensen_options_set(jensen_options* options, const char* name, const char* value) {
  return guarded([&] {
    require(options, "options");
    require(name, "name");
    require(value, "value");
    set_option(options->options, name, value);
  });
}
