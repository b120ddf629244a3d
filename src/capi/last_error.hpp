#pragma once
/// \file Whether a callback has said why it failed.

#include <cstdint>

namespace jensen::capi {

/// How often this thread's last error was set.
std::uint64_t times_set();

}  // namespace jensen::capi
