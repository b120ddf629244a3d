#include "model/families.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jensen/errors.hpp"
#include "text.hpp"

namespace jensen {
namespace {

constexpr std::string_view any = "a finite number";
constexpr std::string_view count = "a count 0, 1, 2, ...";
constexpr std::string_view positive = "above 0";
constexpr std::string_view category = "a category: text, or 0, 1, 2, ...";

std::vector<FamilyInfo> make_families() {
  const FamilyParameter sigma{"sigma", Link::log};
  const FamilyParameter shape{"shape", Link::log};
  const std::vector<Link> identity{Link::identity};
  const std::vector<Link> log{Link::log};
  const std::vector<Link> probability{Link::logit, Link::probit, Link::cloglog};
  const auto make = [](Family family, std::string_view response, std::string_view summary, std::vector<Link> links,
                       std::vector<FamilyParameter> others = {}) {
    return FamilyInfo{family,
                      to_string(family),
                      response,
                      summary,
                      std::move(links),
                      std::move(others),
                      family == Family::binomial,
                      family == Family::exponential || family == Family::weibull};
  };
  return {
      make(Family::gaussian, any, "normal about mu with sd sigma", identity, {sigma}),
      make(Family::student_t, any, "Student's t about mu with scale sigma and nu degrees of freedom: takes outliers",
           identity, {sigma, {"nu", Link::log}}),
      make(Family::bernoulli, "0 or 1", "yes or no, mu the probability of 1", probability),
      make(Family::binomial, "a whole number from 0 to its trials, a whole number too",
           "successes in a number of trials, mu the probability of one", probability),
      make(Family::poisson, count, "counts whose variance is their mean mu", log),
      make(Family::negative_binomial, count, "counts of mean mu and variance mu + mu^2 / shape", log, {shape}),
      make(Family::gamma, positive, "positive numbers of mean mu and variance mu^2 / shape", log, {shape}),
      make(Family::beta, "between 0 and 1, both excluded", "shares of mean mu and variance mu (1 - mu) / (1 + phi)",
           {Link::logit}, {{"phi", Link::log}}),
      make(Family::lognormal, positive, "positive numbers whose logarithm is normal about mu with sd sigma", identity,
           {sigma}),
      make(Family::exponential, "0 or above", "waiting times of mean mu and constant hazard, perhaps right-censored",
           log),
      make(Family::weibull, positive,
           "waiting times of mean mu whose hazard goes as time^(shape - 1), perhaps right-censored", log, {shape}),
      make(Family::zero_inflated_poisson, count, "0 with probability zi, else Poisson counts of mean mu", log,
           {{"zi", Link::logit}}),
      make(Family::hurdle_poisson, count, "0 with probability hu, else Poisson counts of rate mu that are not 0", log,
           {{"hu", Link::logit}}),
      make(Family::cumulative, category, "ordered categories, cut by thresholds from a logistic variable about eta",
           {Link::logit}),
      make(Family::categorical, category, "unordered categories, a linear predictor for each but the first",
           {Link::softmax}),
  };
}

DensityKind density_by(Link link, DensityKind logit, DensityKind probit, DensityKind cloglog) {
  if (link == Link::probit) return probit;
  return link == Link::cloglog ? cloglog : logit;
}

}  // namespace

const std::vector<FamilyInfo>& all_families() {
  static const std::vector<FamilyInfo> families = make_families();
  return families;
}

const FamilyInfo& info_of(Family family) { return all_families()[static_cast<std::size_t>(family)]; }

DensityKind density_of(Family family, Link link) {
  const FamilyInfo& info = info_of(family);
  if (std::ranges::find(info.links, link) == info.links.end()) {
    std::vector<std::string_view> names;
    for (const Link has : info.links) names.push_back(to_string(has));
    throw InputError(
        fmt::format("the {} family has no {} link (--link); use {}", info.name, to_string(link), list_choices(names)));
  }
  switch (family) {
    case Family::gaussian:
    case Family::lognormal:
      return DensityKind::gaussian;
    case Family::student_t:
      return DensityKind::student_t;
    case Family::bernoulli:
      return density_by(link, DensityKind::bernoulli_logit, DensityKind::binomial_probit,
                        DensityKind::binomial_cloglog);
    case Family::binomial:
      return density_by(link, DensityKind::binomial_logit, DensityKind::binomial_probit, DensityKind::binomial_cloglog);
    case Family::poisson:
      return DensityKind::poisson_log;
    case Family::negative_binomial:
      return DensityKind::negative_binomial_log;
    case Family::gamma:
      return DensityKind::gamma_log;
    case Family::beta:
      return DensityKind::beta_logit;
    case Family::exponential:
      return DensityKind::exponential_log;
    case Family::weibull:
      return DensityKind::weibull_log;
    case Family::zero_inflated_poisson:
      return DensityKind::zero_inflated_poisson;
    case Family::hurdle_poisson:
      return DensityKind::hurdle_poisson;
    case Family::cumulative:
      return DensityKind::cumulative_logit;
    case Family::categorical:
      break;
  }
  return DensityKind::categorical;
}

}  // namespace jensen
