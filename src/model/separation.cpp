#include "model/separation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "model/fixed_blocks.hpp"

namespace jensen {
namespace {

constexpr std::size_t most_named = 5;

/// What has been seen of a column, as bits, so that the order of rows does not matter.
enum Seen : unsigned {
  positive = 1,  ///< a value above 0
  negative = 2,
  other = 4,            ///< a value that is neither 0 nor 1
  success_outside = 8,  ///< a success where the value is not 0
  failure_outside = 16,
  success_at_zero = 32,
  failure_at_zero = 64,
};

bool times(const ModelData& data) { return data.family == Family::exponential || data.family == Family::weibull; }

/// Whether responses bound the mean from either side, or from one at most: a count of 0, a time that is censored.
bool bounds_either_side(const ModelData& data) {
  return data.family == Family::poisson || data.family == Family::negative_binomial ||
         data.family == Family::zero_inflated_poisson || data.family == Family::hurdle_poisson || times(data);
}

/// Does the row have successes, failures? Those of a row without weight do not count. What bounds the mean from either
/// side is both.
struct Outcome {
  bool success, failure;
};
Outcome outcome(const ModelData& data, std::size_t i) {
  if (!data.weights.empty() && data.weights[i] == 0) return {false, false};
  if (times(data)) return {!data.design->censored(data.rows[i]), true};
  if (bounds_either_side(data)) return {data.response[i] > 0, true};
  const double trials = data.family == Family::binomial ? data.design->trials(data.rows[i]) : 1;
  return {data.response[i] > 0, data.response[i] < trials};
}

unsigned seen(double value, Outcome of) {
  if (value == 0) return (of.success ? success_at_zero : 0U) | (of.failure ? failure_at_zero : 0U);
  return (value > 0 ? positive : negative) | (value == 1 ? 0U : other) | (of.success ? success_outside : 0U) |
         (of.failure ? failure_outside : 0U);
}

/// Reference level of a factor: 1 where all its columns are 0.
struct Reference {
  std::string name;
  std::vector<std::size_t> columns;  ///< of the other levels
};

/// Of factors with three levels and more; a column of two levels has its reference level where it is 0.
std::vector<Reference> reference_levels(const ModelData& data, const PredictorData& p) {
  std::vector<Reference> references;
  if (!p.intercept) return references;
  const std::vector<std::string>& names = p.design->names();
  for (const FactorLevels& factor : data.design->state().factors) {
    const std::string prefix = (factor.text ? "" : "factor") + factor.column;
    Reference reference{prefix + factor.levels.front(), {}};
    for (std::size_t l = 1; l < factor.levels.size(); ++l) {
      const auto at = std::ranges::find(names, prefix + factor.levels[l]);
      if (at != names.end()) reference.columns.push_back(static_cast<std::size_t>(at - names.begin()));
    }
    if (reference.columns.size() < 2 || reference.columns.size() + 1 < factor.levels.size()) continue;
    references.push_back(std::move(reference));
  }
  return references;
}

/// Of the columns, then of the reference levels.
std::vector<unsigned> look(const ModelData& data, const PredictorData& p, const std::vector<Reference>& references) {
  const std::size_t k = p.columns();
  std::vector<unsigned> all(k + references.size());
  const auto n = static_cast<std::int64_t>(data.size());
#pragma omp parallel
  {
    std::vector<unsigned> mine(all.size());
    std::vector<double> x(static_cast<std::size_t>(matrix_rows) * k);
#pragma omp for schedule(static)
    for (std::int64_t begin = 0; begin < n; begin += matrix_rows) {
      const auto first = static_cast<std::size_t>(begin);
      const auto count = static_cast<std::size_t>(std::min(matrix_rows, n - begin));
      p.design->fill(std::span(data.rows).subspan(first, count), x.data());
      for (std::size_t i = 0; i < count; ++i) {
        const double* row = x.data() + i * k;
        const Outcome of = outcome(data, first + i);
        for (std::size_t j = 0; j < k; ++j) mine[j] |= seen(row[j], of);
        for (std::size_t r = 0; r < references.size(); ++r) {
          const bool is_reference = std::ranges::all_of(references[r].columns, [&](auto j) { return row[j] == 0; });
          mine[k + r] |= seen(is_reference ? 1 : 0, of);
        }
      }
    }
#pragma omp critical
    for (std::size_t j = 0; j < all.size(); ++j) all[j] |= mine[j];
  }
  return all;
}

/// Every success above every failure: with an intercept anywhere, else on either side of 0.
bool completely_separated(const ModelData& data, const PredictorData& p, const float* at_mode) {
  double least_success = std::numeric_limits<double>::infinity(), greatest_failure = -least_success;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const double eta = static_cast<double>(at_mode[i]) - (p.offset.empty() ? 0 : p.offset[i]);
    const Outcome of = outcome(data, i);
    if (of.success) least_success = std::min(least_success, eta);
    if (of.failure) greatest_failure = std::max(greatest_failure, eta);
  }
  return least_success > greatest_failure && (p.intercept || (least_success >= 0 && greatest_failure <= 0));
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", names[i]);
  }
  return names.size() <= most_named ? text : fmt::format("{} and {} more", text, names.size() - most_named);
}

}  // namespace

std::vector<std::string> separation_notes(const ModelData& data, const Model& model) {
  const bool both = bounds_either_side(data);
  if (data.family != Family::bernoulli && data.family != Family::binomial && !both) return {};
  const PredictorData& p = data.predictors.front();
  if (times(data)) {
    std::size_t row = 0;
    while (row < data.size() && !outcome(data, row).success) ++row;
    if (row == data.size()) {
      return {
          "all times are censored: they say how short the mean is not, and only the priors say how long it may be; see "
          "whether cens() is 1 for those that are censored, or choose priors that mean something (--prior)"};
    }
  }
  if (p.columns() == 0) return {};
  const auto term = std::ranges::find_if(model.terms, &Term::subsampled);
  if (!both && completely_separated(data, p, term->arguments[0].offset)) {
    return {
        "the columns separate the responses completely: the likelihood has no maximum, and only the priors keep the "
        "coefficients finite; look for a column that is made of the response, or choose priors that mean something "
        "(--prior)"};
  }
  const std::vector<Reference> references = reference_levels(data, p);
  const std::vector<unsigned> columns = look(data, p, references);
  const std::string_view success = times(data) ? "time that is not censored" : both ? "count above 0" : "success";
  std::vector<std::string> without;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const unsigned bits = columns[j];
    const auto has = [bits](unsigned which) { return (bits & which) != 0; };
    const std::string& name = j < p.columns() ? p.design->names()[j] : references[j - p.columns()].name;
    if ((has(success_outside) != has(failure_outside)) && (has(positive) != has(negative))) {
      without.push_back(fmt::format("no {} where '{}' is {}", has(success_outside) ? "failure" : success, name,
                                    has(other) ? "not 0" : "1"));
    } else if (p.intercept && has(success_at_zero) != has(failure_at_zero) && !has(other)) {
      without.push_back(fmt::format("no {} where '{}' is 0", has(success_at_zero) ? "failure" : success, name));
    }
  }
  if (without.empty()) return {};
  if (data.family == Family::hurdle_poisson) {  // whose zeros are not the mean's
    return {fmt::format("there is {}: the data say nothing of {}, only the priors do; merge levels, or leave {} out",
                        join(without), without.size() == 1 ? "its coefficient" : "their coefficients",
                        without.size() == 1 ? "the column" : "the columns")};
  }
  return {fmt::format(
      "there is {} (quasi-separation): the likelihood has no maximum, and only the priors keep {} finite; merge "
      "levels, leave {} out, or choose priors that mean something (--prior)",
      join(without), without.size() == 1 ? "its coefficient" : "their coefficients",
      without.size() == 1 ? "the column" : "the columns")};
}

}  // namespace jensen
