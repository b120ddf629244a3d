#include "capi/handles.hpp"
#include "jensen/io.hpp"
#include "jensen/jensen_io.h"

using jensen::capi::guarded;
using jensen::capi::require;

int jensen_fit_save(const jensen_fit* fit, const char* directory, int replace) {
  return guarded([&] {
    require(fit, "fit");
    require(directory, "directory");
    jensen::save_fit(fit->fit, "# Made by a program: there is no table in a file from which to repeat this fit.\n",
                     directory, replace != 0);
  });
}

int jensen_fit_load(const char* directory, jensen_fit** fit) {
  return guarded([&] {
    require(directory, "directory");
    require(fit, "fit");
    *fit = new jensen_fit(jensen::load_fit(directory));
  });
}
