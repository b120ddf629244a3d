#pragma once
/// \file Calling the caller: why a callback failed, and what C++ code behind one may throw.

#include <cstdint>
#include <exception>
#include <string>

#include "capi/handles.hpp"

namespace jensen::capi {

/// How often this thread's last error was set.
std::uint64_t times_set();

/// Why a callback failed: what it set as the last error since times_set() was `before`, or that it said nothing.
inline std::string reason_since(std::uint64_t before) {
  return times_set() != before ? jensen_last_error() : "it did not say why; jensen_set_last_error would";
}

/// Calls a callback. Throws CallbackError for what it throws, which a function of C cannot, but one of C++ can.
template <class Call>
auto call_back(const char* what, Call&& call) {
  try {
    return call();
  } catch (const std::exception& error) {
    throw CallbackError(std::string(what) + " threw an exception: " + error.what());
  } catch (...) {
    throw CallbackError(std::string(what) + " threw an exception of an unknown type; return a status instead");
  }
}

}  // namespace jensen::capi
