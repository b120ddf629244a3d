#include "design/model_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

void check_supported(const Formula& formula) {
  const auto refuse = [](std::string_view what) {
    throw InputError(fmt::format("{} is not supported here yet (formula); leave it out", what));
  };
  if (!formula.groups.empty()) refuse("a group term such as (1 | " + formula.groups.front().group() + ")");
  const Additions& additions = formula.additions;
  if (additions.trials || additions.weights || additions.se || additions.censored)
    refuse("an addition to the response");
  for (const Variable& variable : formula.variables) {
    if (variable.kind == Variable::Kind::polynomial || variable.kind == Variable::Kind::scaled) refuse(variable.label);
  }
}

}  // namespace

ModelMatrix::ModelMatrix(Formula formula, Design design) : formula_(std::move(formula)), design_(std::move(design)) {}

ModelMatrix ModelMatrix::learn(const Formula& formula, const Table& table) {
  check_supported(formula);
  if (formula.response_value.is_column() && table.at(formula.response).text) {
    throw InputError(fmt::format(
        "column {} is text ({}), but it is the response (code two levels as 0 and 1); recode it as numbers in the "
        "table beforehand",
        show(formula.response), table.source()));
  }
  return {formula, Design::learn({formula}, table)};
}

ModelMatrix ModelMatrix::apply(const Formula& formula, const Table& table, const std::vector<FactorLevels>& factors) {
  return {formula, Design::apply({formula}, table, {factors, {}, {}})};
}

}  // namespace jensen
