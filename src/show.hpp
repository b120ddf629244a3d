#pragma once
/// \file Text from files, made fit for one line of a message.

#include <string>
#include <string_view>

namespace jensen {

/// Without the blanks and tabs at either end.
std::string_view trim(std::string_view text);

/// `text` in single quotes: control characters and bytes that are not UTF-8 as \xNN, cut after 40 bytes.
std::string show(std::string_view text);

/// `name` as a shell takes it: in single quotes if need be.
std::string shell_word(std::string_view name);

/// Length in bytes of the valid UTF-8 character at the start of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text);

/// True if `text` is UTF-8 without NUL, so that every reader of our files can take it as a string.
bool is_clean_utf8(std::string_view text);

}  // namespace jensen
