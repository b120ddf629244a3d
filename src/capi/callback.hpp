#pragma once
/// \file Calling the caller: why a callback failed, and what C++ code behind one may throw.

#include <cstdint>
#include <exception>
#include <string>

#include "capi/handles.hpp"

namespace jensen::capi {

/// How often this thread's last error was set.
std::uint64_t times_set();

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
