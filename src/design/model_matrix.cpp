#include "design/model_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

const FactorLevels* find_factor(const std::vector<FactorLevels>& factors, const std::string& column) {
  const auto found = std::ranges::find(factors, column, &FactorLevels::column);
  return found == factors.end() ? nullptr : &*found;
}

[[noreturn]] void fail_infinite(const Table& table, const Column& column, std::size_t row) {
  throw InputError(fmt::format("{}: row {}, column {}: the value is infinite; mark it as missing or correct it",
                               table.source(), row + 1, show(column.name)));
}

[[noreturn]] void fail_code(const Table& table, const Column& column, std::size_t row) {
  throw InputError(fmt::format("{}: row {}, column {}: code {} has no text among the column's {} levels",
                               table.source(), row + 1, show(column.name), column.codes[row], column.levels.size()));
}

// Marks the rows where `column` is missing and returns the first, or the number of rows.
std::size_t mark_missing(const Table& table, const Column& column, std::vector<std::uint8_t>& incomplete) {
  std::size_t first = incomplete.size();
  const auto mark = [&](std::size_t row) {
    incomplete[row] = 1;
    first = std::min(first, row);
  };
  if (column.text) {
    const auto known = static_cast<std::int64_t>(column.levels.size());
    for (std::size_t row = 0; row < incomplete.size(); ++row) {
      if (column.codes[row] < 0) mark(row);
      if (column.codes[row] >= known) fail_code(table, column, row);
    }
    return first;
  }
  for (std::size_t row = 0; row < incomplete.size(); ++row) {
    const double value = column.number(row);
    if (std::isnan(value)) mark(row);
    if (std::isinf(value)) fail_infinite(table, column, row);
  }
  return first;
}

void require_number(const Table& table, const Column& column, std::string_view use) {
  if (!column.text) return;
  throw InputError(fmt::format("column {} is text ({}), but {}; recode it as numbers in the table beforehand",
                               show(column.name), table.source(), use));
}

void check_names(const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> seen{"Intercept"};
  for (const std::string& name : names) {
    if (seen.insert(name).second) continue;
    throw InputError(
        fmt::format("two coefficients would be called {} (--formula); rename a column", show("b_" + name)));
  }
}

}  // namespace

ModelMatrix ModelMatrix::learn(const Formula& formula, const Table& table) { return bind(formula, table, nullptr); }

ModelMatrix ModelMatrix::apply(const Formula& formula, const Table& table, const std::vector<FactorLevels>& factors) {
  return bind(formula, table, &factors);
}

ModelMatrix ModelMatrix::bind(const Formula& formula, const Table& table, const std::vector<FactorLevels>* trained) {
  ModelMatrix matrix;
  matrix.formula_ = formula;
  const bool learning = trained == nullptr;
  if (learning) {
    matrix.response_ = table.at(formula.response);
    require_number(table, matrix.response_, "it is the response (code two levels as 0 and 1)");
  }
  for (const std::string& name : formula.offsets) {
    matrix.offsets_.push_back(table.at(name));
    require_number(table, matrix.offsets_.back(), "offset() needs numbers");
  }
  matrix.find_complete_rows(table, learning);
  if (learning && table.rows() == 0) throw InputError(fmt::format("the table has no rows ({})", table.source()));
  if (learning && matrix.complete_rows_.empty()) {
    throw InputError(
        fmt::format("every row has a missing value in a column of the formula ({}; row 1 in {}); "
                    "leave such columns out or fill them in",
                    table.source(), show(matrix.first_missing_.column)));
  }
  matrix.plan(table, trained);
  return matrix;
}

void ModelMatrix::find_complete_rows(const Table& table, bool with_response) {
  table_rows_ = table.rows();
  if (table_rows_ > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError(
        fmt::format("the table has {} rows ({}); at most 4294967295 can be used", table_rows_, table.source()));
  }
  std::vector<std::uint8_t> incomplete(table_rows_, 0);
  first_missing_.row = table_rows_;
  for (const std::string& name : formula_.columns(with_response)) {
    const std::size_t first = mark_missing(table, table.at(name), incomplete);
    if (first < first_missing_.row) first_missing_ = {first, name};
  }
  if (first_missing_.column.empty()) first_missing_.row = 0;
  for (std::size_t row = 0; row < table_rows_; ++row) {
    if (incomplete[row] == 0) complete_rows_.push_back(static_cast<std::uint32_t>(row));
  }
}

void ModelMatrix::plan(const Table& table, const std::vector<FactorLevels>* trained) {
  std::vector<PlannedVariable> variables;
  for (const auto& [name, as_factor] : formula_.variables) {
    PlannedVariable variable{table.at(name), {}, {}, as_factor ? "factor" + name : name};
    const Column& column = variable.column;
    const bool twice = std::ranges::count(formula_.variables, name, &Variable::column) > 1;
    if (trained == nullptr) {
      if (column.text && twice) {
        throw InputError(
            fmt::format("column {0} is text, so {0} and factor({0}) are the same (--formula); keep one", show(name)));
      }
      if (as_factor || column.text) {
        variable.factor = code_column(column, complete_rows_);
        factors_.push_back(learn_levels(*variable.factor, column, table.source()));
      }
    } else if (const FactorLevels* levels = find_factor(*trained, name); as_factor || (levels != nullptr && !twice)) {
      // Of `x + factor(x)`, the levels belong to factor(x).
      if (levels == nullptr) throw InputError(fmt::format("the fit has no levels of factor {}; retrain", show(name)));
      variable.factor = code_column(column, complete_rows_);
      bind_levels(*variable.factor, *levels, complete_rows_, table.source());
      factors_.push_back(*levels);
    } else {
      require_number(table, column, "it was a number in the training data");
    }
    if (variable.factor) variable.levels = factors_.back().levels;
    variables.push_back(std::move(variable));
  }
  plans_ = plan_terms(formula_, variables);
  names_ = column_names(plans_, variables);
  check_names(names_);
}

void ModelMatrix::fill(std::span<const std::uint32_t> rows, double* out) const {
  // A block of rows stays in the cache while term after term is written into it.
  constexpr std::size_t block = 256;
  for (std::size_t begin = 0; begin < rows.size(); begin += block) {
    const auto part = rows.subspan(begin, std::min(block, rows.size() - begin));
    double* const part_out = out + begin * columns();
    std::fill_n(part_out, part.size() * columns(), 0.0);
    for (const TermPlan& plan : plans_) plan.write(part, columns(), part_out);
  }
}

double ModelMatrix::response(std::uint32_t row) const { return response_.number(row); }

double ModelMatrix::offset(std::uint32_t row) const {
  double sum = 0;
  for (const Column& column : offsets_) sum += column.number(row);
  return sum;
}

}  // namespace jensen
