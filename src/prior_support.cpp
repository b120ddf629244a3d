#include <fmt/format.h>

#include <algorithm>

#include "jensen/catalogue.hpp"
#include "jensen/errors.hpp"
#include "prior_forms.hpp"
#include "show.hpp"
#include "text.hpp"

namespace jensen {
namespace {

/// `b`, or `b_sigma` and the like: all coefficients of one predictor.
bool is_coefficient_class(std::string_view target) {
  if (target == "b") return true;
  const std::vector<std::string_view> parameters = other_parameters();
  return target.starts_with("b_") && std::ranges::find(parameters, target.substr(2)) != parameters.end();
}

std::string_view said(Support support) {
  switch (support) {
    case Support::real:
    case Support::increasing:
      return "may be negative";
    case Support::positive:
      return "is positive";
    case Support::unit:
      return "is between 0 and 1";
    case Support::correlation:
      break;
  }
  return "is a correlation matrix";
}

/// The distributions that fit, the flat one last.
std::string choices(Support support, std::string_view target) {
  std::vector<std::string_view> names;
  for (const PriorForm& form : prior_forms()) {
    const bool here = form.kind != PriorKind::horseshoe || is_coefficient_class(target);
    if (here && form.kind != PriorKind::flat && fits(form.kind, support)) names.push_back(form.name);
  }
  names.push_back(form_of(PriorKind::flat).name);
  return list_choices(names);
}

[[noreturn]] void fail(const Prior& prior, std::string_view problem, std::string_view advice) {
  throw InputError(fmt::format("{} (--prior '{}'); {}", problem, to_string(prior), advice));
}

/// The square of a scale must be a number, and its inverse.
constexpr double least_argument = 1e-100, most_argument = 1e100;

void check_arguments(const Prior& prior) {
  const PriorForm& form = form_of(prior.kind);
  if (prior.arguments.size() != form.stored()) {
    fail(prior, fmt::format("{} has the wrong number of arguments, {}", form.name, prior.arguments.size()),
         "give " + usage(form));
  }
  std::vector<double> values;  // as the call has them
  for (std::size_t i = 0, next = 0; i < form.count; ++i) {
    values.push_back(form.slots[i].range == ArgumentRange::zero ? 0 : prior.arguments[next++]);
    const std::string problem = problem_with_argument(form, values, i);
    if (!problem.empty()) fail(prior, problem, fmt::format("write it as in {}", form.example));
    if (form.slots[i].range != ArgumentRange::positive) continue;
    if (values[i] < least_argument) {
      fail(prior, fmt::format("{} is below {}", form.slots[i].said, least_argument), "give a larger one");
    }
    if (values[i] > most_argument) {
      fail(prior, fmt::format("{} is above {}", form.slots[i].said, most_argument), "give a smaller one");
    }
  }
}

[[noreturn]] void fail_support(const Prior& prior, Support support) {
  fail(prior, fmt::format("{} {}, so {} does not fit it", show(prior.target), said(support), to_string(prior.kind)),
       fmt::format("use {}", choices(support, prior.target)));
}

/// normal, student_t or cauchy on a positive parameter.
Prior half(const Prior& prior, double location_of_zero) {
  const bool t = prior.kind == PriorKind::student_t;
  const double location = prior.arguments[t ? 1 : 0];
  const double scale = prior.arguments.back();
  const PriorKind kind = t                                 ? PriorKind::half_student_t
                         : prior.kind == PriorKind::normal ? PriorKind::half_normal
                                                           : PriorKind::half_cauchy;
  Prior result{prior.target, kind, t ? std::vector{prior.arguments[0], scale} : std::vector{scale}};
  if (location != location_of_zero) {
    fail(prior,
         fmt::format("{} is positive, so {} means its positive half there, whose location is {}", show(prior.target),
                     to_string(prior.kind), location_of_zero),
         fmt::format("write '{}', or use gamma or lognormal", to_string(result)));
  }
  return result;
}

Prior on_positive(const Prior& prior, double location_of_zero) {
  switch (prior.kind) {
    case PriorKind::normal:
    case PriorKind::student_t:
    case PriorKind::cauchy:
      return half(prior, location_of_zero);
    case PriorKind::uniform:
      if (prior.arguments[0] < 0) {
        fail(prior, fmt::format("{} is positive, and the lower bound is below 0", show(prior.target)),
             "let uniform begin at 0 or above");
      }
      return prior;
    default:
      break;
  }
  if (!fits(prior.kind, Support::positive)) fail_support(prior, Support::positive);
  return prior;
}

Prior on_unit(const Prior& prior) {
  Prior everywhere{prior.target, PriorKind::beta, {1, 1}};
  if (prior.kind == PriorKind::beta) return prior;
  if (prior.kind == PriorKind::flat) return everywhere;
  if (prior.kind != PriorKind::uniform) fail_support(prior, Support::unit);
  const double lower = prior.arguments[0];
  const double upper = prior.arguments[1];
  if (lower < 0 || upper > 1) {
    fail(prior, fmt::format("{} is between 0 and 1, and the bounds are not", show(prior.target)),
         "keep the bounds of uniform between 0 and 1");
  }
  return lower == 0 && upper == 1 ? everywhere : prior;
}

Prior on_real(const Prior& prior) {
  if (!fits(prior.kind, Support::real)) fail_support(prior, Support::real);
  if (prior.kind == PriorKind::horseshoe && !is_coefficient_class(prior.target)) {
    fail(prior,
         fmt::format("horseshoe is for all coefficients of a predictor together, and {} is not that",
                     show(prior.target)),
         fmt::format("write 'b ~ ...', or use {}", choices(Support::real, prior.target)));
  }
  return prior;
}

}  // namespace

Prior on_support(const Prior& prior, Support support, double location_of_zero) {
  check_arguments(prior);
  switch (support) {
    case Support::real:
    case Support::increasing:
      return on_real(prior);
    case Support::positive:
      return on_positive(prior, location_of_zero);
    case Support::unit:
      return on_unit(prior);
    case Support::correlation:
      break;
  }
  if (prior.kind == PriorKind::flat) return {prior.target, PriorKind::lkj, {1}};
  if (prior.kind != PriorKind::lkj) fail_support(prior, Support::correlation);
  return prior;
}

}  // namespace jensen
