#include "design/term_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jensen/errors.hpp"

namespace jensen {
namespace {

constexpr std::size_t max_columns = 1'000'000;

using Terms = std::vector<std::vector<int>>;

const PlannedVariable& at(const std::vector<PlannedVariable>& variables, int v) {
  return variables[static_cast<std::size_t>(v)];
}

// Is `part`, without `left_out`, contained in `whole`? Both ascend.
bool contains_rest(const std::vector<int>& whole, const std::vector<int>& part, int left_out) {
  return std::ranges::all_of(part, [&](int v) { return v == left_out || std::ranges::binary_search(whole, v); });
}

// TermCode of R (stats/src/model.c): contrasts if the rest of the term is empty or within an earlier term.
bool takes_contrasts(const Terms& terms, std::size_t t, int v) {
  const auto earlier = std::span(terms).first(t);
  return terms[t].size() == 1 ||
         std::ranges::any_of(earlier, [&](const auto& term) { return contains_rest(term, terms[t], v); });
}

// Without an intercept, R codes in full the first factor of the first term that has one.
bool spans_the_intercept(const Terms& terms, std::size_t t, std::size_t i,
                         const std::vector<PlannedVariable>& variables) {
  const auto is_factor = [&](int v) { return at(variables, v).factor.has_value(); };
  const auto has_factor = [&](const auto& term) { return std::ranges::any_of(term, is_factor); };
  return std::ranges::none_of(std::span(terms).first(t), has_factor) &&
         std::ranges::none_of(std::span(terms[t]).first(i), is_factor);
}

std::size_t checked_product(std::size_t a, std::size_t b) {
  if (b != 0 && a > max_columns / b) {
    throw InputError(
        fmt::format("the formula makes more than {} columns of this table (--formula); leave out a factor "
                    "or an interaction with many levels",
                    max_columns));
  }
  return a * b;
}

}  // namespace

TermPlan::TermPlan(const std::vector<int>& term, const std::vector<bool>& full,
                   const std::vector<PlannedVariable>& variables, std::size_t first_column)
    : term_(term), full_(full), first_column_(first_column) {
  for (std::size_t i = 0; i < term.size(); ++i) {
    const PlannedVariable& variable = at(variables, term[i]);
    if (!variable.factor) {
      covariates_.push_back(variable.column);
      continue;
    }
    const std::int32_t skipped = full[i] ? 0 : 1;
    const std::size_t step = columns_;
    columns_ = checked_product(columns_, variable.levels.size() - static_cast<std::size_t>(skipped));
    Selector selector{variable.factor->codes, {}, variable.factor->owner};
    for (const std::int32_t rank : variable.factor->ranks) {
      selector.shifts.push_back(rank < skipped ? -1 : (rank - skipped) * static_cast<std::int32_t>(step));
    }
    selectors_.push_back(std::move(selector));
  }
}

void TermPlan::append_names(const std::vector<PlannedVariable>& variables, std::vector<std::string>& names) const {
  std::vector<std::string> parts{""};
  for (std::size_t i = 0; i < term_.size(); ++i) {
    const PlannedVariable& variable = at(variables, term_[i]);
    const std::string separator = i == 0 ? "" : ":";
    std::vector<std::string> longer;
    const auto append = [&](const std::string& level) {
      for (const std::string& part : parts) longer.push_back(part + separator + variable.label + level);
    };
    if (variable.factor) {
      std::for_each(variable.levels.begin() + (full_[i] ? 0 : 1), variable.levels.end(), append);
    } else {
      append("");
    }
    parts = std::move(longer);
  }
  names.insert(names.end(), parts.begin(), parts.end());
}

void TermPlan::write(std::span<const std::uint32_t> rows, std::size_t stride, double* out) const {
  out += first_column_;
  // The two commonest terms, a covariate and a factor, have loops of their own.
  if (selectors_.empty() && covariates_.size() == 1) {
    const Column& covariate = covariates_.front();
    for (std::size_t i = 0; i < rows.size(); ++i) out[i * stride] = covariate.number(rows[i]);
    return;
  }
  if (covariates_.empty() && selectors_.size() == 1) {
    const Selector& selector = selectors_.front();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::int32_t shift = selector.shifts[static_cast<std::size_t>(selector.codes[rows[i]])];
      if (shift >= 0) out[i * stride + static_cast<std::size_t>(shift)] = 1;
    }
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::size_t column = 0;
    bool selected = true;
    for (const Selector& selector : selectors_) {
      const std::int32_t shift = selector.shifts[static_cast<std::size_t>(selector.codes[rows[i]])];
      selected = selected && shift >= 0;
      column += static_cast<std::size_t>(std::max(shift, 0));
    }
    if (!selected) continue;
    double product = 1;
    for (const Column& covariate : covariates_) product *= covariate.number(rows[i]);
    out[i * stride + column] = product;
  }
}

std::vector<TermPlan> plan_terms(const Formula& formula, const std::vector<PlannedVariable>& variables) {
  std::vector<TermPlan> plans;
  std::size_t columns = 0;
  for (std::size_t t = 0; t < formula.terms.size(); ++t) {
    const std::vector<int>& term = formula.terms[t];
    std::vector<bool> full;
    for (std::size_t i = 0; i < term.size(); ++i) {
      full.push_back(!takes_contrasts(formula.terms, t, term[i]) ||
                     (!formula.intercept && spans_the_intercept(formula.terms, t, i, variables)));
    }
    plans.emplace_back(term, full, variables, columns);
    columns += plans.back().columns();
    checked_product(columns, 1);
  }
  return plans;
}

std::vector<std::string> column_names(const std::vector<TermPlan>& plans,
                                      const std::vector<PlannedVariable>& variables) {
  std::vector<std::string> names;
  for (const TermPlan& plan : plans) plan.append_names(variables, names);
  return names;
}

}  // namespace jensen
