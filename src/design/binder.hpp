#pragma once
/// \file Finds what formulas name in one table: numbers, factors, groups; learns their state or looks it up.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "design/factor.hpp"
#include "design/formula.hpp"
#include "design/group_design.hpp"
#include "design/term_plan.hpp"
#include "jensen/design_state.hpp"
#include "jensen/table.hpp"

namespace jensen {

/// A column or group used in several places is coded once.
class Binder {
 public:
  /// `rows`: the complete ones. `trained` is null to learn. All three must outlive the binder.
  Binder(const Table& table, const std::vector<std::uint32_t>& rows, const DesignState* trained)
      : table_(table), rows_(rows), trained_(trained) {}

  const Table& table() const { return table_; }
  const std::vector<std::uint32_t>& rows() const { return rows_; }
  /// What was learned so far.
  const DesignState& state() const { return state_; }

  TermPlans plans(const TermSum& sum);
  /// Values in the complete rows. `use` is what needs them, for messages: "offset()".
  Column numbers(const Expression& expression, std::string_view use) const;
  std::shared_ptr<const GroupIndex> group(const std::vector<std::string>& columns);

 private:
  BoundVariable bind(const Variable& variable);
  bool is_factor(const Variable& variable) const;
  const CodedFactor& coded(const Column& column);
  BoundVariable bind_factor(const Variable& variable);
  BoundVariable bind_numbers(const Variable& variable);
  const std::vector<double>& learned(const Variable& variable, const Column& x);
  std::shared_ptr<const GroupIndex> make_group(const std::string& name, const std::vector<std::string>& columns);

  const Table& table_;
  const std::vector<std::uint32_t>& rows_;
  const DesignState* trained_;
  DesignState state_;
  std::map<std::string, CodedFactor> coded_;                         // by column
  std::map<std::string, std::shared_ptr<const GroupIndex>> groups_;  // by name
};

}  // namespace jensen
