#include "problem_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <unordered_map>

#include "show.hpp"

namespace jensen {
namespace {

constexpr std::size_t many_levels = 100;
constexpr double visible_share = 0.9;
constexpr double perfect_share = 1e-4;  // of the response's sd, for sigma

/// Of a factor or group the first two levels that a person would take for one, and how many more there are.
void note_twins(const std::string& name, const std::vector<std::string>& levels, std::vector<std::string>& notes) {
  std::unordered_map<std::string_view, const std::string*> seen;
  std::string first;
  std::size_t count = 0;
  for (const std::string& level : levels) {
    const auto [at, is_new] = seen.emplace(trim(level), &level);
    if (is_new) continue;
    if (count++ == 0) first = fmt::format("{} and {}", show(*at->second), show(level));
  }
  if (count == 0) return;
  notes.push_back(fmt::format("{} are two levels of {}, though they differ in blanks alone{}", first, show(name),
                              count == 1 ? "" : fmt::format("; and so do {} more", count - 1)));
}

bool begins_with_number(const std::string& text) {
  double value = 0;
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
}

/// Which order text has as ordered categories, since it is seldom the one that is meant: high, low, medium.
void note_order(const std::vector<std::string>& categories, std::vector<std::string>& notes) {
  if (std::ranges::all_of(categories, begins_with_number)) return;
  std::string order;
  for (const std::string& category : categories) order += (order.empty() ? "" : " < ") + show(category);
  notes.push_back(
      fmt::format("the categories are taken to be ordered {}, as text sorts; if another order is meant, name "
                  "them so that they sort, or number them",
                  order));
}

/// Whether two groups divide the rows alike, and have an effect of the same column.
bool alike(const GroupData& a, const GroupData& b) {
  if (a.design->levels() != b.design->levels()) return false;
  if (std::ranges::find_first_of(a.design->effects(), b.design->effects()) == a.design->effects().end()) return false;
  std::vector<std::int32_t> other(a.design->levels(), -1);
  for (std::size_t i = 0; i < a.level.size(); ++i) {
    std::int32_t& level = other[static_cast<std::size_t>(a.level[i])];
    if (level >= 0 && level != b.level[i]) return false;
    level = b.level[i];
  }
  return true;
}

void note_alike(const PredictorData& p, std::vector<std::string>& notes) {
  for (std::size_t g = 0; g < p.groups.size(); ++g) {
    for (std::size_t h = g + 1; h < p.groups.size(); ++h) {
      if (p.groups[g].design->group() == p.groups[h].design->group() || !alike(p.groups[g], p.groups[h])) continue;
      notes.push_back(fmt::format(
          "groups {} and {} divide the rows alike: the data tell the sum of their effects, not the two apart, "
          "and neither's sd can be relied on; leave one out",
          show(p.groups[g].design->group()), show(p.groups[h].design->group())));
    }
  }
}

}  // namespace

std::vector<std::string> problem_notes(const TrainOptions& given, const ModelData& data, const DesignState& design) {
  std::vector<std::string> notes;
  if (!data.has_groups() && given.guide == GuideKind::structured) {
    notes.emplace_back("the model has no groups, without which a structured guide is a full-rank one (--guide)");
  }
  if (!data.has_groups() && given.parametrization != Parametrization::automatic) {
    notes.emplace_back(
        "the model has no groups: the parametrization of their effects changes nothing (--parametrization)");
  }
  if (data.family == Family::cumulative) note_order(data.design->response_levels(), notes);
  const auto unweighed = static_cast<std::size_t>(std::ranges::count(data.weights, 0.0));
  if (unweighed > 0 && unweighed == data.size()) {
    notes.emplace_back("every weight is 0: no row counts, and the fit is that of the priors");
  } else if (unweighed > 0) {
    notes.push_back(
        fmt::format("{} of {} weights are 0; default priors are scaled by those rows too: leave them out of the table, "
                    "or give priors of your own",
                    unweighed, data.size()));
  }
  for (const FactorLevels& factor : design.factors) note_twins(factor.column, factor.levels, notes);
  for (const GroupLevels& group : design.groups) note_twins(group.group, group.levels, notes);
  const PredictorDesign* noted = nullptr;  // categories share theirs
  for (const PredictorData& p : data.predictors) {
    if (p.design != nullptr && p.design != noted) note_alike(p, notes);
    noted = p.design;
  }
  for (const FactorLevels& factor : design.factors) {
    if (factor.levels.size() <= many_levels) continue;
    notes.push_back(
        fmt::format("factor {} has {} levels, and each a coefficient of its own; (1 | {}) would estimate them together",
                    show(factor.column), factor.levels.size(), factor.column));
  }
  const std::size_t rows = data.size(), coefficients = data.predictors.front().coefficients();
  if (has_location_and_scale(data.family) && data.log_se.empty() && rows <= 2 * coefficients) {
    // The guide's sd of log sigma is that of N residuals, the posterior's that of N - C.
    const std::string narrow =
        rows > coefficients
            ? fmt::format("its sd will be about {:.1f} times too small",
                          std::sqrt(static_cast<double>(rows) / static_cast<double>(rows - coefficients)))
            : "the priors alone tell it from the coefficients; its mean may be off, and its sd far too small";
    notes.push_back(
        fmt::format("{} rows for {} coefficients leave little to see sigma by: {}", rows, coefficients, narrow));
  }
  for (const GroupData& group : data.predictors.front().groups) {
    if (!has_location_and_scale(data.family) || !data.log_se.empty() || group.design->levels() < data.size()) continue;
    notes.push_back(fmt::format(
        "group {} has a level for every row: the data tell sigma and the group's sd together, not apart, and "
        "the fitted posterior of each may be far too narrow; leave the group out, or give sigma (se())",
        show(group.design->group())));
  }
  return notes;
}

std::vector<std::string> perfect_fit_notes(const ModelData& data, const Model& model) {
  if (!has_location_and_scale(data.family) || !data.log_se.empty() || !(data.response_sd > 0)) return {};
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (model.parameters[i].name != "sigma") continue;
    const double share = std::exp(model.shift[i]) / data.response_sd;
    if (share > perfect_share) return {};
    return {
        fmt::format("the formula fits the response but for {:.1g} of its sd, as if it was computed from the columns: "
                    "nothing is left for sigma, and training may fail; leave out what gives the response away",
                    share)};
  }
  return {};
}

std::vector<std::string> prior_notes(const TrainOptions& given, const Model& model) {
  std::vector<std::string> notes;
  for (std::size_t i = 0; i < model.size(); ++i) {
    const std::string& name = model.parameters[i].name;
    if ((name != "shape" && name != "phi") ||
        std::ranges::find(given.priors, name, &Prior::target) != given.priors.end())
      continue;
    const auto prior = std::ranges::find(model.priors, name, &Prior::target);
    if (prior == model.priors.end() || prior->kind != PriorKind::gamma) continue;
    // The prior's slope in the logarithm of the parameter, in sds of that.
    const double pull = (prior->arguments[0] - prior->arguments[1] * std::exp(model.shift[i])) * model.to_user(i, i);
    if (pull > -1) continue;
    notes.push_back(
        fmt::format("the default prior {} keeps {} below what the data say by more than its sd; if that is not "
                    "meant, give it one of its own (--prior '{} ~ lognormal(3, 3)')",
                    to_string(*prior), name, name));
  }
  return notes;
}

std::vector<std::string> crossing_notes(const Model& model, const GuideLayout& layout) {
  std::vector<std::string> notes;
  for (std::size_t g = layout.head_groups; g < model.groups.size(); ++g) {
    const std::vector<double>& shares = model.shares_of_sd[g];
    const auto least = std::ranges::min_element(shares);
    if (*least >= visible_share) continue;
    const GroupPosterior& group = model.posteriors[g];
    notes.push_back(fmt::format(
        "the sds of the levels of {} ({}) will be about {:.2g} of what they are: it is crossed with another "
        "group, and both are too large to be trained together; what tells its levels from one another is "
        "not affected",
        show(group.group), group.effects[static_cast<std::size_t>(least - shares.begin())], *least));
  }
  return notes;
}

}  // namespace jensen
