#include "design/term_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "design/term_algebra.hpp"
#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

constexpr std::size_t max_columns = 1'000'000;

const BoundVariable& at(const std::vector<BoundVariable>& variables, int v) {
  return variables[static_cast<std::size_t>(v)];
}

// Is `part`, without `left_out`, contained in `whole`? Both ascend.
bool contains_rest(const std::vector<int>& whole, const std::vector<int>& part, int left_out) {
  return std::ranges::all_of(part, [&](int v) { return v == left_out || std::ranges::binary_search(whole, v); });
}

// TermCode of R (stats/src/model.c): contrasts if the rest of the term is empty or within an earlier term.
bool takes_contrasts(const FormulaTerms& terms, std::size_t t, int v) {
  const auto earlier = std::span(terms).first(t);
  return terms[t].size() == 1 ||
         std::ranges::any_of(earlier, [&](const auto& term) { return contains_rest(term, terms[t], v); });
}

// Without an intercept, R codes in full the first factor of the first term that has one.
bool spans_the_intercept(const FormulaTerms& terms, std::size_t t, std::size_t i,
                         const std::vector<BoundVariable>& variables) {
  const auto is_factor = [&](int v) { return at(variables, v).factor.has_value(); };
  const auto has_factor = [&](const auto& term) { return std::ranges::any_of(term, is_factor); };
  return std::ranges::none_of(std::span(terms).first(t), has_factor) &&
         std::ranges::none_of(std::span(terms[t]).first(i), is_factor);
}

std::size_t checked_product(std::size_t a, std::size_t b) {
  if (b != 0 && a > max_columns / b) {
    throw InputError(
        fmt::format("the formula makes more than {} columns of this table (formula); leave out a factor "
                    "or an interaction with many levels",
                    max_columns));
  }
  return a * b;
}

void check_names(const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> seen{"Intercept"};
  for (const std::string& name : names) {
    if (seen.insert(name).second) continue;
    throw InputError(fmt::format("two coefficients would be called {} (formula); rename a column", show("b_" + name)));
  }
}

}  // namespace

TermPlan::TermPlan(const std::vector<int>& term, const std::vector<bool>& full,
                   const std::vector<BoundVariable>& variables, std::size_t first_column)
    : term_(term), full_(full), first_column_(first_column) {
  for (std::size_t i = 0; i < term.size(); ++i) {
    const BoundVariable& variable = at(variables, term[i]);
    const std::size_t step = columns_;
    if (!variable.factor) {
      columns_ = checked_product(columns_, variable.numbers.size());
      std::vector<Product> longer;
      for (std::size_t k = 0; k < variable.numbers.size(); ++k) {
        for (Product product : products_) {
          product.shift += k * step;
          product.numbers.push_back(variable.numbers[k]);
          longer.push_back(std::move(product));
        }
      }
      products_ = std::move(longer);
      continue;
    }
    const std::int32_t skipped = full[i] ? 0 : 1;
    columns_ = checked_product(columns_, variable.suffixes.size() - static_cast<std::size_t>(skipped));
    Selector selector{variable.factor->codes, {}, variable.factor->owner};
    for (const std::int32_t rank : variable.factor->ranks) {
      selector.shifts.push_back(rank < skipped ? -1 : (rank - skipped) * static_cast<std::int32_t>(step));
    }
    selectors_.push_back(std::move(selector));
  }
}

void TermPlan::append_names(const std::vector<BoundVariable>& variables, std::vector<std::string>& names) const {
  std::vector<std::string> parts{""};
  for (std::size_t i = 0; i < term_.size(); ++i) {
    const BoundVariable& variable = at(variables, term_[i]);
    const std::string separator = i == 0 ? "" : ":";
    std::vector<std::string> longer;
    for (std::size_t s = variable.factor && !full_[i] ? 1 : 0; s < variable.suffixes.size(); ++s) {
      for (const std::string& part : parts) longer.push_back(part + separator + variable.label + variable.suffixes[s]);
    }
    parts = std::move(longer);
  }
  names.insert(names.end(), parts.begin(), parts.end());
}

void TermPlan::write(std::span<const std::uint32_t> rows, std::size_t stride, double* out) const {
  out += first_column_;
  // The two commonest terms, a column of numbers and a factor, have loops of their own.
  if (selectors_.empty() && products_.size() == 1 && products_.front().numbers.size() == 1) {
    const Column& numbers = products_.front().numbers.front();
    for (std::size_t i = 0; i < rows.size(); ++i) out[i * stride] = numbers.number(rows[i]);
    return;
  }
  if (selectors_.size() == 1 && products_.size() == 1 && products_.front().numbers.empty()) {
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
    for (const Product& product : products_) {
      double value = 1;
      for (const Column& numbers : product.numbers) value *= numbers.number(rows[i]);
      out[i * stride + column + product.shift] = value;
    }
  }
}

TermPlans::TermPlans(const TermSum& sum, const std::vector<BoundVariable>& variables) {
  std::size_t columns = 0;
  for (std::size_t t = 0; t < sum.terms.size(); ++t) {
    const std::vector<int>& term = sum.terms[t];
    std::vector<bool> full;
    for (std::size_t i = 0; i < term.size(); ++i) {
      full.push_back(!takes_contrasts(sum.terms, t, term[i]) ||
                     (!sum.intercept && spans_the_intercept(sum.terms, t, i, variables)));
    }
    plans_.emplace_back(term, full, variables, columns);
    columns += plans_.back().columns();
    checked_product(columns, 1);
  }
  for (const TermPlan& plan : plans_) plan.append_names(variables, names_);
  check_names(names_);
}

void TermPlans::fill(std::span<const std::uint32_t> rows, std::size_t stride, double* out) const {
  // A block of rows stays in the cache while term after term is written into it.
  constexpr std::size_t block = 256;
  for (std::size_t begin = 0; begin < rows.size(); begin += block) {
    const auto part = rows.subspan(begin, std::min(block, rows.size() - begin));
    double* const part_out = out + begin * stride;
    for (std::size_t i = 0; i < part.size(); ++i) std::fill_n(part_out + i * stride, columns(), 0.0);
    for (const TermPlan& plan : plans_) plan.write(part, stride, part_out);
  }
}

}  // namespace jensen
