#include "model/priors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "jensen/errors.hpp"

namespace jensen {
namespace {

/// `value` to a thousandth of the leading digit of `size`: default priors that can be read, and retyped, exactly.
double rounded(double value, double size) {
  const double digit = std::floor(std::log10(size)) - 3;
  // Dividing by a power of ten rounds to the double nearest to the decimal number; multiplying by its inverse may not.
  const double power = std::pow(10.0, std::abs(digit));
  return digit < 0 ? std::round(value * power) / power : std::round(value / power) * power;
}

Prior default_normal(const std::string& target, double location, double scale) {
  return {target, PriorKind::normal, {rounded(location, scale), rounded(scale, scale)}};
}
Prior default_exponential(const std::string& target, double mean) {
  return {target, PriorKind::exponential, {rounded(1 / mean, 1 / mean)}};
}

const Prior* find(const std::vector<Prior>& priors, std::string_view target) {
  const auto found = std::find_if(priors.begin(), priors.end(), [&](const Prior& p) { return p.target == target; });
  return found == priors.end() ? nullptr : &*found;
}

void check_targets(const std::vector<Prior>& given, const RegressionData& data) {
  const auto& names = data.design->names();
  for (const Prior& prior : given) {
    const std::string& target = prior.target;
    const bool coefficient =
        target.starts_with("b_") && std::find(names.begin(), names.end(), target.substr(2)) != names.end();
    const bool intercept = target == "Intercept" || target == "Intercept_centered" || target == "b_Intercept";
    const bool known = (target == "b" && !names.empty()) || coefficient || (intercept && data.intercept) ||
                       (target == "sigma" && data.family == Family::gaussian);
    if (!known) {
      std::string have = names.empty() ? "" : "b, ";
      if (data.intercept) have += "Intercept, Intercept_centered, ";
      if (data.family == Family::gaussian) have += "sigma, ";
      for (std::size_t j = 0; j < std::min<std::size_t>(names.size(), 10); ++j) have += "b_" + names[j] + ", ";
      have = names.size() > 10 ? have + "..." : have.substr(0, have.size() - 2);
      throw InputError(fmt::format("the model has no '{}' (--prior '{}'); it has {}", target, to_string(prior), have));
    }
    if (std::count_if(given.begin(), given.end(), [&](const Prior& p) { return p.target == target; }) > 1) {
      throw InputError(fmt::format("'{}' has two priors (--prior); give one", target));
    }
    if (target != "sigma" && (prior.kind == PriorKind::uniform || prior.kind == PriorKind::horseshoe)) {
      throw InputError(
          fmt::format("{} is not available for '{}' (--prior '{}'); use normal, student_t, cauchy, "
                      "laplace, logistic or flat",
                      to_string(prior.kind), target, to_string(prior)));
    }
  }
  const int intercepts = (find(given, "Intercept") != nullptr) + (find(given, "b_Intercept") != nullptr) +
                         (find(given, "Intercept_centered") != nullptr);
  if (intercepts > 1) throw InputError("the intercept has two priors (--prior); give Intercept or Intercept_centered");
}

}  // namespace

ResolvedPriors resolve_priors(const std::vector<Prior>& from_user, const RegressionData& data) {
  check_targets(from_user, data);
  std::vector<Prior> given;
  for (const Prior& prior : from_user) {
    given.push_back(on_support(prior, prior.target == "sigma" ? Support::positive : Support::real));
  }
  const bool gaussian = data.family == Family::gaussian;
  const double unit = gaussian ? data.response_sd : 1;
  ResolvedPriors out{given, {}, {}, {}};

  if (data.intercept) {
    const Prior* prior = find(given, "Intercept");
    if (prior == nullptr) prior = find(given, "b_Intercept");
    if (prior == nullptr) prior = find(given, "Intercept_centered");
    if (prior == nullptr) {
      out.listed.push_back(default_normal("Intercept_centered", gaussian ? data.response_mean : 0, 2.5 * unit));
      prior = &out.listed.back();
    }
    out.intercept = *prior;
  }
  const Prior* of_class = find(given, "b");
  for (std::size_t j = 0; j < data.design->columns(); ++j) {
    const std::string target = "b_" + data.design->names()[j];
    const Prior* prior = find(given, target);
    if (prior == nullptr) prior = of_class;
    if (prior == nullptr) {
      out.listed.push_back(default_normal(target, 0, 2.5 * unit / data.sd[j]));
      prior = &out.listed.back();
    }
    out.coefficients.push_back(*prior);
  }
  if (gaussian) {
    const Prior* prior = find(given, "sigma");
    if (prior == nullptr) {
      out.listed.push_back(default_exponential("sigma", unit));
      prior = &out.listed.back();
    }
    out.sigma = *prior;
  }
  return out;
}

}  // namespace jensen
