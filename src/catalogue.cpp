#include "jensen/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "jensen/errors.hpp"
#include "model/families.hpp"
#include "prior_forms.hpp"
#include "text.hpp"

namespace jensen {
namespace {

constexpr std::array all_supports{Support::real, Support::positive, Support::unit, Support::correlation};

/// Where a parameter lives whose predictor has this link.
Support support_of(Link link) {
  switch (link) {
    case Link::log:
      return Support::positive;
    case Link::logit:
    case Link::probit:
    case Link::cloglog:
      return Support::unit;
    case Link::identity:
    case Link::softmax:
      break;
  }
  return Support::real;
}

void add_once(std::vector<std::string_view>& names, std::string_view name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

/// Classes of parameters that live there.
std::vector<std::string_view> targets_of(Support support) {
  std::vector<std::string_view> targets;
  if (support == Support::real) targets = {"b", "Intercept"};
  if (support == Support::positive) targets = {"sd"};
  if (support == Support::correlation) targets = {"cor"};
  for (const FamilyInfo& family : all_families()) {
    for (const FamilyParameter& parameter : family.others) {
      if (support_of(parameter.link) == support) add_once(targets, parameter.name);
    }
  }
  return targets;
}

}  // namespace

std::string_view to_string(Support support) {
  switch (support) {
    case Support::real:
      return "real";
    case Support::positive:
      return "positive";
    case Support::unit:
      return "unit";
    case Support::increasing:
      return "increasing";
    case Support::correlation:
      break;
  }
  return "correlation";
}

std::vector<FamilyDescription> describe_families() {
  std::vector<FamilyDescription> out;
  for (const FamilyInfo& info : all_families()) {
    FamilyDescription family{info.family, info.response, info.summary, info.links, {}, info.trials, info.censoring};
    for (const FamilyParameter& parameter : info.others) family.parameters.push_back(parameter.name);
    out.push_back(std::move(family));
  }
  return out;
}

std::vector<std::string_view> other_parameters() {
  std::vector<std::string_view> names;
  for (const FamilyInfo& family : all_families()) {
    for (const FamilyParameter& parameter : family.others) add_once(names, parameter.name);
  }
  return names;
}

void check_family(const TrainOptions& options) {
  const FamilyInfo& info = info_of(options.family);
  if (options.link && std::ranges::find(info.links, *options.link) == info.links.end()) {
    std::vector<std::string_view> links;
    for (const Link link : info.links) links.push_back(to_string(link));
    throw InputError(fmt::format("the {} family has no {} link (--link); use {}", info.name, to_string(*options.link),
                                 list_choices(links)));
  }
  std::vector<std::string_view> names;
  for (const FamilyParameter& parameter : info.others) names.push_back(parameter.name);
  for (const ParameterFormula& formula : options.formulas) {
    if (std::ranges::find(names, std::string_view(formula.parameter)) == names.end()) {
      throw InputError(fmt::format("the {} family has no parameter {} (--formula-{}); {}", info.name, formula.parameter,
                                   formula.parameter,
                                   names.empty() ? "leave it out" : "it has " + list_choices(names)));
    }
    if (std::ranges::count(options.formulas, formula.parameter, &ParameterFormula::parameter) > 1) {
      throw InputError(fmt::format("{0} has two formulas (--formula-{0}); keep one", formula.parameter));
    }
  }
}

std::vector<PriorDescription> describe_priors() {
  std::vector<PriorDescription> out;
  for (const PriorForm& form : prior_forms()) {
    PriorDescription prior;
    prior.kind = form.kind;
    prior.usage = usage(form);
    prior.example = form.example;
    for (const PriorArgument& argument : form.arguments()) {
      if (argument.range != ArgumentRange::zero) prior.arguments.push_back(argument.name);
    }
    for (const Support support : all_supports) {
      if (!fits(form.kind, support)) continue;
      prior.supports.push_back(support);
      for (const std::string_view target : targets_of(support)) prior.targets.push_back(target);
    }
    if (form.kind == PriorKind::horseshoe) prior.targets = {"b"};  // of a whole class of coefficients
    out.push_back(std::move(prior));
  }
  return out;
}

}  // namespace jensen
