#include "model/priors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

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

Prior normal_prior(const std::string& target, double location, double scale) {
  return {target, PriorKind::normal, {rounded(location, scale), rounded(scale, scale)}};
}
Prior exponential_prior(const std::string& target, double mean) {
  return {target, PriorKind::exponential, {rounded(1 / mean, 1 / mean)}};
}

/// Finds each parameter's prior among the user's, the most particular target first; keeps what was asked for.
class Resolver {
 public:
  explicit Resolver(const std::vector<Prior>& given) : given_(given), used_(given.size(), false) { listed_ = given; }

  /// The first of `targets` that the user gave a prior, else `fallback`, which is then listed.
  Prior find(const std::vector<std::string>& targets, const Prior& fallback, Support support) {
    const Prior* found = nullptr;
    for (const std::string& target : targets) {
      known_.push_back(target);
      for (std::size_t i = 0; i < given_.size(); ++i) {
        if (given_[i].target != target) continue;
        used_[i] = true;
        if (found == nullptr) found = &given_[i];
      }
    }
    if (found != nullptr) return on_support(*found, support);
    listed_.push_back(fallback);
    return on_support(fallback, support);
  }

  /// Throws for a prior that no parameter took, and for two of one target.
  void check() const {
    for (std::size_t i = 0; i < given_.size(); ++i) {
      if (!used_[i]) fail_unknown(given_[i]);
      const auto same = [&](const Prior& p) { return p.target == given_[i].target; };
      if (std::ranges::count_if(given_, same) > 1) {
        throw InputError(fmt::format("'{}' has two priors (--prior); give one", given_[i].target));
      }
    }
  }
  std::vector<Prior> listed() { return std::move(listed_); }

 private:
  [[noreturn]] void fail_unknown(const Prior& prior) const {
    std::string have;
    std::size_t count = 0;
    std::set<std::string> seen;
    // classes first, then particular ones
    std::vector<std::string> order(known_);
    std::ranges::stable_sort(order, {}, [](const std::string& t) { return t.find('_') != std::string::npos; });
    for (const std::string& target : order) {
      if (!seen.insert(target).second) continue;
      if (++count > 16) break;
      have += (have.empty() ? "" : ", ") + target;
    }
    throw InputError(fmt::format("the model has no '{}' (--prior '{}'); it has {}{}", prior.target, to_string(prior),
                                 have, count > 16 ? ", ..." : ""));
  }

  const std::vector<Prior>& given_;
  std::vector<bool> used_;
  std::vector<Prior> listed_;
  std::vector<std::string> known_;
};

/// Where the default prior of a predictor is centred where every column has its mean, and what its scale is measured
/// in.
struct Unit {
  double location, scale;
};
Unit unit_of(const ModelData& data, const PredictorData& p) {
  if (p.infix.empty() && has_location_and_scale(data.family))
    return {data.response_mean, data.response_sd > 0 ? data.response_sd : 1};
  if (p.infix.empty() && p.link == Link::log) return {std::log(std::max(data.response_mean, 1e-10)), 1};
  if (p.infix == "sigma_") return {std::log(data.response_sd > 0 ? data.response_sd : 1), 1};
  return {0, 1};
}

Prior default_of_number(const ModelData& data, const std::string& parameter) {
  if (parameter == "sigma") return exponential_prior(parameter, data.response_sd > 0 ? data.response_sd : 1);
  if (parameter == "zi" || parameter == "hu") return {parameter, PriorKind::beta, {1, 1}};
  return {parameter, PriorKind::gamma, {2, 0.1}};  // nu, shape, phi
}

/// Without its class, for another parameter's predictor: b_sigma, Intercept_sigma.
std::string of_parameter(const std::string& name, const PredictorData& p) {
  return p.infix.empty() ? name : name + "_" + p.infix.substr(0, p.infix.size() - 1);
}

PredictorPriors::Group resolve_group(Resolver& resolver, const PredictorData& p, const GroupData& group, double unit) {
  PredictorPriors::Group out;
  const std::string of_group = of_parameter("sd_" + group.design->group() + (p.infix.empty() ? "" : "_"), p);
  for (std::size_t e = 0; e < group.effects(); ++e) {
    const std::string name = sd_name(p, group, e);
    out.sd.push_back(resolver.find({name, of_group, of_parameter("sd", p), "sd"},
                                   exponential_prior(name, unit / group.sd[e]), Support::positive));
  }
  if (group.design->correlated() && group.effects() > 1) {
    const std::string of_correlation = "cor_" + group.design->group();
    out.correlation =
        resolver.find({of_correlation, "cor"}, {of_correlation, PriorKind::lkj, {1}}, Support::correlation);
  }
  return out;
}

PredictorPriors resolve_predictor(Resolver& resolver, const ModelData& data, const PredictorData& p) {
  PredictorPriors out;
  const Unit unit = unit_of(data, p);
  if (p.design == nullptr) {
    if (p.intercept) {
      out.intercept = resolver.find({p.parameter}, default_of_number(data, p.parameter), support_of(p.link));
    }
    return out;
  }
  // of a category muB: its own, or those of all categories
  const bool category = data.family == Family::categorical;
  if (p.intercept && data.thresholds == 0) {
    std::vector<std::string> targets{"b_" + p.infix + "Intercept", of_parameter("Intercept", p)};
    if (category) targets.insert(targets.end(), {"b_Intercept", "Intercept", "Intercept_centered"});
    targets.push_back(of_parameter("Intercept_centered", p));
    out.intercept = resolver.find(
        targets,
        normal_prior(of_parameter("Intercept_centered", p), unit.location - p.offset_share(), 2.5 * unit.scale),
        Support::real);
  }
  for (std::size_t j = 0; j < p.columns(); ++j) {
    const std::string name = "b_" + p.infix + p.design->names()[j];
    std::vector<std::string> targets{name, of_parameter("b", p)};
    if (category) targets.insert(targets.end(), {"b_" + p.design->names()[j], "b"});
    out.coefficients.push_back(
        resolver.find(targets, normal_prior(name, 0, 2.5 * unit.scale / p.prior_unit[j]), Support::real));
  }
  for (const GroupData& group : p.groups) out.groups.push_back(resolve_group(resolver, p, group, unit.scale));
  return out;
}

void check_intercepts(const std::vector<Prior>& given) {
  const auto count = std::ranges::count_if(given, [](const Prior& p) {
    return p.target == "Intercept" || p.target == "b_Intercept" || p.target == "Intercept_centered";
  });
  if (count > 1) throw InputError("the intercept has two priors (--prior); give Intercept or Intercept_centered");
}

}  // namespace

std::string coefficient_name(const PredictorData& p, std::size_t j) {
  if (p.intercept && j == 0) return "Intercept";
  return p.design->names()[j - (p.intercept ? 1 : 0)];
}

std::string sd_name(const PredictorData& p, const GroupData& group, std::size_t effect) {
  return fmt::format("sd_{}__{}{}", group.design->group(), p.infix, group.design->effects()[effect]);
}

std::string correlation_name(const PredictorData& p, const GroupData& group, std::size_t i, std::size_t j) {
  const auto& names = group.design->effects();
  return fmt::format("cor_{}__{}{}__{}{}", group.design->group(), p.infix, names[i], p.infix, names[j]);
}

Support support_of(Link link) {
  if (link == Link::log) return Support::positive;
  return link == Link::logit ? Support::unit : Support::real;
}

ResolvedPriors resolve_priors(const std::vector<Prior>& given, const ModelData& data) {
  check_intercepts(given);
  Resolver resolver(given);
  ResolvedPriors out;
  for (std::size_t k = 1; k <= data.thresholds; ++k) {
    const std::string centred = fmt::format("Intercept_centered[{}]", k);
    out.thresholds.push_back(
        resolver.find({fmt::format("b_Intercept[{}]", k), "Intercept", centred, "Intercept_centered"},
                      {centred, PriorKind::normal, {0, 10}}, Support::real));
  }
  for (const PredictorData& p : data.predictors) out.predictors.push_back(resolve_predictor(resolver, data, p));
  resolver.check();
  out.listed = resolver.listed();
  return out;
}

}  // namespace jensen
