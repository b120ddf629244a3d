#pragma once
/// \file Reads arithmetic expressions of columns.

#include <cstddef>
#include <string>
#include <string_view>

#include "design/expression.hpp"
#include "text.hpp"

namespace jensen {

constexpr std::size_t max_parentheses = 100;  ///< nested; each costs a few stack frames

/// True if the word that stands first is a number to R: 1, .5, 2x.
bool starts_number(std::string_view word);

/// Takes a column's name, in backquotes or not. Throws InputError if none is next; `what` must be one.
std::string read_column(Scanner& scanner, std::string_view what);

/// Takes numbers, names, parentheses, functions, + - * / ^ and signs, with R's precedences, as far as they go.
/// Throws InputError at the first thing that cannot follow; `before` is what an operand must follow: "'('".
Expression read_expression(Scanner& scanner, std::string_view before);

/// Takes (expression) of a function whose name was taken: I or one of the mathematical ones; `name_at` is where it
/// stood. Throws InputError if there is no such function.
Expression read_call(Scanner& scanner, std::string_view name, std::size_t name_at);

/// I or the name of a mathematical function.
bool is_function(std::string_view name);
/// "I, log, log2, ..."
std::string function_names();

/// Takes ')' or fails; `open` is where its '(' stood.
void close_parenthesis(Scanner& scanner, std::size_t open, std::string_view after = "");

}  // namespace jensen
