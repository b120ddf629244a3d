#pragma once
/// \file A fit with groups, made by hand: what prints and saves fits can be tested without training one.

#include <string>
#include <vector>

#include "jensen/fit.hpp"

namespace jensen::test {

/// y ~ x + (1 + x | g) + (1 | site) with sigma ~ 1 + (1 | g): three levels of g, two of site. Every coordinate is
/// independent, with mean 0.1 times its place and sd 0.05.
inline Fit hierarchical_fit() {
  using enum ParameterClass;
  Fit fit;
  fit.formula = "y ~ x + (1 + x | g) + (1 | site)";
  fit.options.formulas = {{"sigma", "1 + (1 | g)"}};
  fit.options.link = Link::identity;
  fit.options.guide = GuideKind::structured;
  fit.design.groups = {{"g", {"a", "b", "c"}, {"g"}}, {"site", {"north", "south"}, {"site"}}};
  fit.parameters = {{"b_Intercept", Transform::identity, population},
                    {"b_x", Transform::identity, population},
                    {"b_sigma_Intercept", Transform::identity, population},
                    {"sd_g__Intercept", Transform::exponential, group},
                    {"sd_g__x", Transform::exponential, group},
                    {"cor_g__Intercept__x", Transform::correlation, group},
                    {"sd_site__Intercept", Transform::exponential, group},
                    {"sd_g__sigma_Intercept", Transform::exponential, group},
                    {"nu", Transform::exponential, family}};
  const auto add = [&fit](const std::string& name, const std::string& parameter, std::vector<std::string> effects,
                          std::size_t levels, std::size_t sd, std::size_t correlation, std::size_t first) {
    GroupPosterior group;
    group.group = name;
    group.parameter = parameter;
    group.effects = std::move(effects);
    group.levels = levels;
    group.first_sd = sd;
    group.first_correlation = correlation;
    group.first = first;
    fit.groups.push_back(group);
  };
  add("g", "mu", {"Intercept", "x"}, 3, 3, 5, 9);
  add("site", "mu", {"Intercept"}, 2, 6, 0, 15);
  add("g", "sigma", {"Intercept"}, 3, 7, 0, 17);
  constexpr std::size_t size = 20;
  fit.mean.resize(size);
  fit.factor.resize(size * size);
  for (std::size_t i = 0; i < size; ++i) {
    fit.mean[i] = 0.1 * static_cast<double>(i);
    fit.factor[i * size + i] = 0.05;
  }
  fit.elbo = -1234.5;
  fit.elbo_se = 0.2;
  fit.rows = 919;
  fit.steps = 2000;
  fit.verdict.converged = true;
  fit.verdict.khat = 0.3;
  fit.verdict.message = "converged";
  return fit;
}

}  // namespace jensen::test
