#pragma once
/// \file The left side of a formula bound to a table: response, trials, weights, known errors, censoring.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "design/factor.hpp"
#include "design/formula.hpp"
#include "jensen/table.hpp"

namespace jensen {

class Binder;

/// True if the table has every column of the expression.
bool has_columns(const Table& table, const Expression& expression);

class ResponseDesign {
 public:
  /// Throws InputError: an addition that is text or out of range (row named).
  ResponseDesign(const Formula& formula, Binder& binder);
  /// No response: what Design::apply has; trials are read if the table has their columns.
  static ResponseDesign for_prediction(const Formula& formula, Binder& binder);

  const std::string& name() const { return name_; }
  bool text() const { return value_.text; }
  double value(std::uint32_t row) const { return value_.number(row); }
  bool has_trials() const { return trials_.has_value(); }
  bool has_weights() const { return weights_.has_value(); }
  bool has_se() const { return se_.has_value(); }
  bool has_censoring() const { return censored_.has_value(); }
  double trials(std::uint32_t row) const { return trials_ ? trials_->number(row) : 1; }
  double weight(std::uint32_t row) const { return weights_ ? weights_->number(row) : 1; }
  double se(std::uint32_t row) const { return se_ ? se_->number(row) : 0; }
  bool censored(std::uint32_t row) const { return censored_ && (*censored_)[row] != 0; }

  /// See Design::learn_response_levels.
  void learn_levels(std::span<const std::uint32_t> rows);
  const std::vector<std::string>& levels() const { return levels_; }
  std::int32_t code(std::uint32_t row) const { return factor_.ranks[static_cast<std::size_t>(factor_.codes[row])]; }

 private:
  ResponseDesign() = default;

  std::string name_;
  std::string source_;  // of the table, for messages
  Column value_;
  std::optional<Column> trials_, weights_, se_;
  std::optional<std::vector<std::uint8_t>> censored_;
  CodedFactor factor_;
  std::vector<std::string> levels_;
};

}  // namespace jensen
