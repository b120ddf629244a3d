#include "design/binder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "design/grouping.hpp"
#include "design/learned_columns.hpp"
#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

const FactorLevels* find_factor(const std::vector<FactorLevels>& factors, const std::string& column) {
  const auto found = std::ranges::find(factors, column, &FactorLevels::column);
  return found == factors.end() ? nullptr : &*found;
}

std::string group_name(const std::vector<std::string>& columns) { return fmt::format("{}", fmt::join(columns, ":")); }

}  // namespace

TermPlans Binder::plans(const TermSum& sum) {
  std::vector<BoundVariable> variables;
  for (const Variable& variable : sum.variables) {
    const bool twice = std::ranges::any_of(sum.variables, [&](const Variable& other) {
      return variable.kind == Variable::Kind::column && other.kind == Variable::Kind::factor &&
             other.value == variable.value;
    });
    if (twice && is_factor(variable)) {
      throw InputError(fmt::format("column {0} is text, so {0} and factor({0}) are the same (formula); keep one",
                                   show(variable.label)));
    }
    variables.push_back(bind(variable));
  }
  return {sum, variables};
}

// What training read as text is a factor here too, even if these rows look like numbers.
bool Binder::is_factor(const Variable& variable) const {
  if (variable.kind == Variable::Kind::factor) return true;
  if (variable.kind != Variable::Kind::column) return false;
  if (trained_ == nullptr) return table_.at(variable.label).text;
  const FactorLevels* levels = find_factor(trained_->factors, variable.label);
  return levels != nullptr && levels->text;
}

BoundVariable Binder::bind(const Variable& variable) {
  return is_factor(variable) ? bind_factor(variable) : bind_numbers(variable);
}

const CodedFactor& Binder::coded(const Column& column) {
  const auto found = coded_.find(column.name);
  return found != coded_.end() ? found->second : coded_.emplace(column.name, code_column(column, rows_)).first->second;
}

BoundVariable Binder::bind_factor(const Variable& variable) {
  const std::string& name = variable.value.columns.front();
  const Column& column = table_.at(name);
  BoundVariable bound;
  bound.label = variable.kind == Variable::Kind::factor ? "factor" + name : name;
  bound.factor = coded(column);
  if (trained_ == nullptr) {
    FactorLevels learned = learn_levels(*bound.factor, column, table_.source());
    bound.suffixes = learned.levels;
    if (find_factor(state_.factors, name) == nullptr) state_.factors.push_back(std::move(learned));
  } else {
    const FactorLevels* levels = find_factor(trained_->factors, name);
    if (levels == nullptr) throw InputError(fmt::format("the fit has no levels of factor {}; retrain", show(name)));
    bind_levels(*bound.factor, *levels, rows_, table_.source());
    bound.suffixes = levels->levels;
  }
  return bound;
}

BoundVariable Binder::bind_numbers(const Variable& variable) {
  BoundVariable bound;
  bound.label = variable.label;
  bound.suffixes = {""};
  if (variable.kind == Variable::Kind::column) {
    const Column& column = table_.at(variable.label);
    if (column.text) {
      throw InputError(fmt::format(
          "column {} is text ({}), but it was a number in the training data; recode it as numbers in the table "
          "beforehand",
          show(column.name), table_.source()));
    }
    bound.numbers.push_back(column);
    return bound;
  }
  const Column x = numbers(variable.value, variable.label);
  if (variable.kind == Variable::Kind::polynomial) {
    bound.numbers = polynomials(x, rows_, learned(variable, x));
    if (bound.numbers.size() > 1) bound.suffixes.clear();  // poly(x, 1) is one column, called so
    for (std::size_t k = 1; k <= bound.numbers.size() && bound.numbers.size() > 1; ++k) {
      bound.suffixes.push_back(std::to_string(k));
    }
  } else if (variable.kind == Variable::Kind::scaled) {
    bound.numbers.push_back(scaled(x, rows_, learned(variable, x)));
  } else {
    bound.numbers.push_back(x);
  }
  return bound;
}

const std::vector<double>& Binder::learned(const Variable& variable, const Column& x) {
  const bool polynomial = variable.kind == Variable::Kind::polynomial;
  auto& known = state_.learned;
  if (const auto found = std::ranges::find(known, variable.label, &LearnedColumns::expression); found != known.end()) {
    return found->values;
  }
  if (trained_ == nullptr) {
    known.push_back({variable.label, polynomial
                                         ? learn_polynomials(x, rows_, variable.degree, variable.label, table_.source())
                                         : learn_scale(x, rows_, variable.label, table_.source())});
    return known.back().values;
  }
  const auto found = std::ranges::find(trained_->learned, variable.label, &LearnedColumns::expression);
  const std::size_t size = polynomial ? 2 * static_cast<std::size_t>(variable.degree) + 1 : 2;
  if (found == trained_->learned.end() || found->values.size() != size) {
    throw InputError(fmt::format("the fit has no constants of {}; retrain", show(variable.label)));
  }
  return found->values;
}

Column Binder::numbers(const Expression& expression, std::string_view use) const {
  return evaluate(expression, table_, rows_, use);
}

std::shared_ptr<const GroupIndex> Binder::group(const std::vector<std::string>& columns) {
  const std::string name = group_name(columns);
  auto& index = groups_[name];
  if (!index) index = make_group(name, columns);
  return index;
}

std::shared_ptr<const GroupIndex> Binder::make_group(const std::string& name, const std::vector<std::string>& columns) {
  std::vector<CodedFactor> factors;
  GroupLevels levels{name, {}, {}};
  for (const std::string& column : columns) {
    factors.push_back(coded(table_.at(column)));
    if (table_.at(column).text) levels.text_columns.push_back(column);
  }
  const auto index = std::make_shared<GroupIndex>(index_groups(factors, rows_, table_.rows()));
  if (trained_ == nullptr) {
    check_group(name, *index, table_.source());
    levels.levels = index->labels;
    state_.groups.push_back(std::move(levels));
    return index;
  }
  const auto trained = std::ranges::find(trained_->groups, name, &GroupLevels::group);
  if (trained == trained_->groups.end()) {
    throw InputError(fmt::format("the fit has no levels of group {}; retrain", show(name)));
  }
  match_group(*index, trained->levels);
  return index;
}

}  // namespace jensen
