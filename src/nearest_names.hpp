#pragma once
/// \file Suggestions for a name that is not there.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jensen {

/// Up to three of `names` that a misspelt `name` may have meant, nearest (by edit distance, case aside) first.
std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> names);

/// The end of a message about a name that is not there: "did you mean 'hour' or 'hours'?", or, if none is near,
/// "its columns are 'a', 'b', ..."; `what` says what the names are ("columns").
std::string suggest_names(std::string_view name, std::span<const std::string> names, std::string_view what);

}  // namespace jensen
