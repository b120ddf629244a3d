#pragma once
/// \file The columns that one formula with terms and offsets makes of a table: a Design without groups.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "design/design.hpp"
#include "design/formula.hpp"
#include "jensen/design_state.hpp"
#include "jensen/table.hpp"

namespace jensen {

class ModelMatrix {
 public:
  /// As Design::learn, but refuses a text response, group terms, additions to the response, poly() and scale().
  static ModelMatrix learn(const Formula& formula, const Table& table);
  /// As Design::apply.
  static ModelMatrix apply(const Formula& formula, const Table& table, const std::vector<FactorLevels>& factors);

  const Formula& formula() const { return formula_; }
  const std::vector<FactorLevels>& factors() const { return design_.state().factors; }
  const std::vector<std::string>& names() const { return predictor().names(); }
  std::size_t columns() const { return predictor().columns(); }
  const std::vector<std::uint32_t>& complete_rows() const { return design_.complete_rows(); }
  std::size_t table_rows() const { return design_.table_rows(); }
  const FirstMissing& first_missing() const { return design_.first_missing(); }
  void fill(std::span<const std::uint32_t> rows, double* out) const { predictor().fill(rows, out); }
  double response(std::uint32_t row) const { return design_.response(row); }
  double offset(std::uint32_t row) const { return predictor().offset(row); }

 private:
  ModelMatrix(Formula formula, Design design);
  const PredictorDesign& predictor() const { return design_.predictors().front(); }

  Formula formula_;
  Design design_;
};

}  // namespace jensen
