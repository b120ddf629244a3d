#pragma once
/// \file A column seen as a factor: a code for each row, and what the codes mean.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "jensen/design_state.hpp"
#include "jensen/table.hpp"

namespace jensen {

/// Each row's code, and each code's place among the factor's levels.
struct CodedFactor {
  std::span<const std::int32_t> codes;
  std::vector<std::string> labels;    ///< of the codes
  std::vector<std::int32_t> order;    ///< codes that occur, in the order of levels: text by bytes, numbers ascending
  std::vector<std::int32_t> ranks;    ///< of the codes: place among the levels, -1 if none
  std::shared_ptr<const void> owner;  ///< keeps `codes` alive; null if they are the caller's
};

/// Codes the column; only `rows` (none of them missing) decide which codes occur. `ranks` is left empty.
CodedFactor code_column(const Column& column, std::span<const std::uint32_t> rows);

/// Numbers as levels print as R prints them: 2, not 2.0; 0.1.
std::string level_label(double value);

/// Gives the codes that occur their places, and returns the levels in that order.
std::vector<std::string> rank_codes(CodedFactor& factor);

/// The levels that occur become the factor's. Throws InputError if there are fewer than two.
FactorLevels learn_levels(CodedFactor& factor, const Column& column, const std::string& source);

/// Gives the codes that occur the places of the trained levels, -1 if there is none. True if all have one.
bool match_levels(CodedFactor& factor, const std::vector<std::string>& levels);

/// As match_levels, but throws InputError naming the first of `rows` whose level is new.
void bind_levels(CodedFactor& factor, const FactorLevels& trained, std::span<const std::uint32_t> rows,
                 const std::string& source);

}  // namespace jensen
