#pragma once

namespace jensen {

/// The commit that was checked out when this was built; see cmake/BuildCommit.cmake, which writes the definition.
const char* build_commit();

}  // namespace jensen
