#pragma once
/// \file One group term, (1 + x | g), bound to a table.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "design/term_plan.hpp"

namespace jensen {

/// Levels of a grouping factor and each row's level; shared by all terms of that group.
struct GroupIndex {
  std::vector<std::string> labels;
  std::vector<std::int32_t> level_of_row;  ///< below 0: an incomplete row (-1), or -1 - k for new_labels[k]
  std::vector<std::string> new_labels;     ///< levels that training had not, in the order of levels
};

/// In each row the effects x (q numbers) are multiplied by the coefficients of the row's level.
class GroupDesign {
 public:
  GroupDesign(std::string group, bool correlated, std::shared_ptr<const GroupIndex> index, bool intercept,
              TermPlans plans);

  /// g or g:h
  const std::string& group() const { return group_; }
  /// q names: Intercept, x, fb, ...
  const std::vector<std::string>& effects() const { return effects_; }
  /// May the effects of a level be correlated? False if written with ||.
  bool correlated() const { return correlated_; }
  std::size_t levels() const { return index_->labels.size(); }
  const std::vector<std::string>& labels() const { return index_->labels; }
  /// Level of a complete row; -1 is a level that training had not (only after Design::apply).
  std::int32_t level(std::uint32_t row) const { return std::max(index_->level_of_row[row], -1); }
  /// Levels that training had not; `new_level` is the place among them of a complete row's level -1.
  const std::vector<std::string>& new_labels() const { return index_->new_labels; }
  std::size_t new_level(std::uint32_t row) const { return static_cast<std::size_t>(-1 - index_->level_of_row[row]); }
  /// Writes the effects of complete rows: rows.size() x q values, row-major.
  void fill(std::span<const std::uint32_t> rows, double* out) const;

 private:
  std::string group_;
  bool correlated_ = true;
  bool intercept_ = true;
  std::shared_ptr<const GroupIndex> index_;
  TermPlans plans_;
  std::vector<std::string> effects_;
};

}  // namespace jensen
