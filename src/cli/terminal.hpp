#pragma once
/// \file Whether a stream is a terminal, and how wide.

#include <cstddef>
#include <cstdio>

namespace jensen::cli {

/// A terminal that can renew a line.
bool is_terminal(std::FILE* stream);
/// Its width in characters, 80 if it does not say; 0 if the stream is no terminal.
std::size_t terminal_columns(std::FILE* stream);

}  // namespace jensen::cli
