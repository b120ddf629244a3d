#pragma once
/// \file Levels of grouping factors: of one column, or the combinations of several that occur.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "design/factor.hpp"
#include "design/group_design.hpp"

namespace jensen {

/// Numbers the combinations of the factors' levels that occur in `rows`, in the order of the first factor's levels,
/// then of the second's, ...; labels are the levels joined by `_`. `factors` need no ranks.
GroupIndex index_groups(std::vector<CodedFactor>& factors, std::span<const std::uint32_t> rows, std::size_t table_rows);

/// Throws InputError: fewer than two levels, or two of the same label (a_b with c, and a with b_c).
void check_group(const std::string& name, const GroupIndex& index, const std::string& source);

/// Renumbers the levels as in `labels`; those that are not among them become new_labels.
void match_group(GroupIndex& index, const std::vector<std::string>& labels);

}  // namespace jensen
