#pragma once
/// \file What the call of each prior's distribution looks like: names, arguments, what they may be.

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "jensen/prior.hpp"

namespace jensen {

enum class ArgumentRange { any, positive, zero };  ///< zero: the location of a half distribution, which is not stored

struct PriorArgument {
  std::string_view name;  ///< in a call: scale = 1
  std::string_view said;  ///< in a message: "the scale"
  ArgumentRange range = ArgumentRange::any;
};

struct PriorForm {
  PriorKind kind = PriorKind::flat;
  std::string_view name;
  std::string_view example;
  std::size_t count = 0;  ///< of arguments
  std::array<PriorArgument, 4> slots{};
  bool optional = false;  ///< any argument may be left out; then it has its value in `defaults`
  std::array<double, 4> defaults{};

  std::span<const PriorArgument> arguments() const { return std::span(slots).first(count); }
  /// How many arguments a Prior stores.
  std::size_t stored() const;
};

/// In the order of PriorKind.
std::span<const PriorForm> prior_forms();
const PriorForm& form_of(PriorKind kind);
/// Whether the distribution is one on that support as it is written: that of a half on positive numbers, say.
bool fits(PriorKind kind, Support support);
/// "normal(location, scale)"
std::string usage(const PriorForm& form);

/// What is wrong with argument `i` (of the call) if the arguments up to it are `values`; empty if nothing.
std::string problem_with_argument(const PriorForm& form, std::span<const double> values, std::size_t i);

}  // namespace jensen
