#pragma once
/// \file What a list of formulas makes of a table: the response and, for each parameter, a predictor.

#include <cstdint>
#include <string>
#include <vector>

#include "design/complete_rows.hpp"
#include "design/formula.hpp"
#include "design/predictor_design.hpp"
#include "design/response_design.hpp"
#include "jensen/design_state.hpp"
#include "jensen/table.hpp"

namespace jensen {

/// `formulas[0]` has the response; the others are right sides of further parameters.
class Design {
 public:
  /// Learns levels and constants (see DesignState) from the rows of `table` that have no missing value in a column
  /// that any of the formulas uses. Throws InputError: no such column, text used as a number, a value outside a
  /// function's or an addition's range (row named), a factor or group with fewer than two levels.
  static Design learn(const std::vector<Formula>& formulas, const Table& table);
  /// Uses what was learned before, for new data: the response need not be there, nor its weights, se and cens; trials
  /// are read if the table has them. Throws InputError as above, and for a cell whose factor level was not seen in
  /// training (row, column and level named). An unseen level of a group is level -1.
  static Design apply(const std::vector<Formula>& formulas, const Table& table, const DesignState& state);

  const DesignState& state() const { return state_; }
  /// One a formula, in their order.
  const std::vector<PredictorDesign>& predictors() const { return predictors_; }

  /// Rows (from 0) with no missing value in a used column, ascending. What follows takes complete rows only.
  const std::vector<std::uint32_t>& complete_rows() const { return complete_.rows; }
  std::size_t table_rows() const { return complete_.table_rows; }
  const FirstMissing& first_missing() const { return complete_.first_missing; }

  /// The response as R prints it: y, log(y). Like its values, only after learn().
  const std::string& response_name() const { return response_.name(); }
  bool response_is_text() const { return response_.text(); }
  /// Not for a response that is text.
  double response(std::uint32_t row) const { return response_.value(row); }
  bool has_trials() const { return response_.has_trials(); }
  bool has_weights() const { return response_.has_weights(); }
  bool has_se() const { return response_.has_se(); }
  bool has_censoring() const { return response_.has_censoring(); }
  /// A whole number, 1 or more; 1 if there is no trials().
  double trials(std::uint32_t row) const { return response_.trials(row); }
  /// 0 or more; 1 if there is no weights().
  double weight(std::uint32_t row) const { return response_.weight(row); }
  /// Known standard deviation of the response, above 0; 0 if there is no se().
  double se(std::uint32_t row) const { return response_.se(row); }
  /// Right-censored: the response is a lower bound.
  bool censored(std::uint32_t row) const { return response_.censored(row); }

  /// Takes the response as a category: its levels are those that occur, text in byte order, numbers ascending. Throws
  /// InputError if there are fewer than two.
  void learn_response_levels() { response_.learn_levels(complete_.rows); }
  const std::vector<std::string>& response_levels() const { return response_.levels(); }
  /// Place of the row's response among the levels, from 0.
  std::int32_t response_code(std::uint32_t row) const { return response_.code(row); }

 private:
  Design(CompleteRows complete, DesignState state, std::vector<PredictorDesign> predictors, ResponseDesign response);

  CompleteRows complete_;
  DesignState state_;
  std::vector<PredictorDesign> predictors_;
  ResponseDesign response_;
};

}  // namespace jensen
