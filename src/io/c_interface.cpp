#include <cstring>

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

int jensen_state_save(const void* state, size_t size, const char* path) {
  return guarded([&] {
    require(state, "state");
    require(path, "path");
    const std::span bytes(static_cast<const std::byte*>(state), size);
    if (!jensen::state_is_whole(bytes)) {
      throw jensen::InputError(std::to_string(size) +
                               " bytes that are no whole state (jensen_state_save); give what "
                               "jensen_trainer_state wrote, in the size that it said");
    }
    jensen::save_state(bytes, path);
  });
}

int jensen_state_load(const char* path, void* buffer, size_t* size, int* older) {
  return guarded([&] {
    require(path, "path");
    require(size, "size");
    const jensen::SavedState saved = jensen::load_state(path);
    jensen::capi::fill(buffer, size, saved.state.size(),
                       [&](void* out) { std::memcpy(out, saved.state.data(), saved.state.size()); });
    if (older != nullptr) *older = saved.problem.empty() ? 0 : 1;
    if (!saved.problem.empty()) jensen_set_last_error(saved.problem.c_str());
  });
}

int jensen_state_exists(const char* path, int* exists) {
  return guarded([&] {
    require(path, "path");
    require(exists, "exists");
    *exists = jensen::has_state(path) ? 1 : 0;
  });
}

int jensen_state_remove(const char* path) {
  return guarded([&] {
    require(path, "path");
    jensen::remove_state(path);
  });
}
