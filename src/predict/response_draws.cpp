#include "predict/response_draws.hpp"

#include <fmt/format.h>

#include <limits>

#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

/// Standard deviations known beforehand, y | se(x).
Column known_sd(const Expression& se, const Design& design, const Table& table) {
  for (const std::string& name : se.columns) {
    if (table.find(name) != nullptr) continue;
    throw InputError(
        fmt::format("new responses need the known standard deviations se({}), but {} has no column {}; add it", se.text,
                    table.source(), show(name)));
  }
  std::vector<std::uint32_t> present;
  for (const std::uint32_t row : design.complete_rows()) {
    bool all = true;
    for (const std::string& name : se.columns) all = all && !table.at(name).missing(row);
    if (all) present.push_back(row);
  }
  return evaluate(se, table, present, "se()");
}

/// S x (K - 1), draw by draw.
std::vector<double> thresholds_of(const FitPredictors& predictors, const ParameterDraws& draws, std::size_t count,
                                  std::size_t parameters) {
  std::vector<double> out(draws.count() * count);
  for (std::size_t k = 0; k < count; ++k) {
    const std::string name = fmt::format("b_Intercept[{}]", k + 1);
    const std::size_t place = predictors.place_of(name);
    if (place == parameters) throw InputError(fmt::format("the fit has no threshold {}; train again", show(name)));
    for (std::size_t s = 0; s < draws.count(); ++s) out[s * count + k] = draws.value(place)[s];
  }
  return out;
}

}  // namespace

ResponseDraws::ResponseDraws(const Fit& fit, const FitPredictors& predictors, const ParameterDraws& draws,
                             const Table& table, PredictionKind kind)
    : predictors_(predictors), draws_(draws), family_(fit.options.family) {
  for (const BoundPredictor& mean : predictors.means()) means_.emplace_back(fit, mean, draws);
  if (kind == PredictionKind::link) return;
  if (family_ == Family::cumulative || family_ == Family::categorical) {
    categories_ = fit.response_levels.size();
    if (categories_ < 2) throw InputError("the fit has no categories (Fit::response_levels); train again");
    if (family_ == Family::cumulative) {
      thresholds_ = thresholds_of(predictors, draws, categories_ - 1, fit.parameters.size());
    }
    return;
  }
  if (kind == PredictionKind::response && mean_is_inverse_link(family_)) return;
  for (const FamilyParameter& parameter : info_of(family_).others) {
    Other& other = others_.emplace_back();
    other.link = parameter.link;
    const std::size_t place = predictors.place_of(parameter.name);
    const auto& se = predictors.formula().additions.se;
    if (const BoundPredictor* predictor = predictors.other(parameter.name)) {
      other.predictor.emplace(fit, *predictor, draws);
    } else if (place < fit.parameters.size()) {
      other.values = draws.value(place);
    } else if (parameter.name == "sigma" && se) {
      other.known = known_sd(*se, predictors.design(), table);
    } else {
      throw InputError(
          fmt::format("the fit has no parameter {}, which its family needs; train again", show(parameter.name)));
    }
  }
}

ResponseDraws::Scratch ResponseDraws::scratch() const {
  Scratch out;
  for (const PredictorDraws& mean : means_) out.means.push_back(mean.scratch());
  for (const Other& other : others_) {
    out.others.push_back(other.predictor ? other.predictor->scratch() : PredictorDraws::Scratch{});
  }
  out.etas.resize(means_.size() * count());
  out.other_etas.resize(count());
  out.parameters.resize(categories_ > 0 ? 0 : count());
  out.probabilities.resize(categories_ * count());
  return out;
}

void ResponseDraws::load(std::span<const std::uint32_t> rows, Scratch& scratch) const {
  for (std::size_t m = 0; m < means_.size(); ++m) means_[m].load(rows, scratch.means[m]);
  for (std::size_t o = 0; o < others_.size(); ++o) {
    if (others_[o].predictor) others_[o].predictor->load(rows, scratch.others[o]);
  }
}

void ResponseDraws::fill_etas(std::span<const std::uint32_t> rows, std::size_t i, Scratch& scratch) const {
  for (std::size_t m = 0; m < means_.size(); ++m) {
    means_[m].fill(rows, i, scratch.means[m], scratch.etas.data() + m * count());
  }
}

void ResponseDraws::fill_parameters(std::span<const std::uint32_t> rows, std::size_t i, Scratch& scratch) const {
  fill_etas(rows, i, scratch);
  if (categories_ > 0) {
    std::vector<double> etas(means_.size());
    for (std::size_t s = 0; s < count(); ++s) {
      double* out = scratch.probabilities.data() + s * categories_;
      for (std::size_t m = 0; m < means_.size(); ++m) etas[m] = scratch.etas[m * count() + s];
      if (family_ == Family::cumulative) {
        cumulative_probabilities(etas.front(), std::span(thresholds_).subspan(s * (categories_ - 1), categories_ - 1),
                                 out);
      } else {
        softmax_probabilities(etas, out);
      }
    }
    return;
  }
  const double trials = predictors_.design().trials(rows[i]);
  for (std::size_t s = 0; s < count(); ++s) scratch.parameters[s] = {scratch.etas[s], {}, trials};
  for (std::size_t o = 0; o < others_.size(); ++o) {
    const Other& other = others_[o];
    if (other.predictor) other.predictor->fill(rows, i, scratch.others[o], scratch.other_etas.data());
    for (std::size_t s = 0; s < count(); ++s) {
      double& value = scratch.parameters[s].others[o];
      if (other.predictor) {
        value = inverse_link(other.link, scratch.other_etas[s]);
      } else {
        value = other.known ? other.known->number(rows[i]) : other.values[s];
      }
    }
  }
}

const GroupDesign* ResponseDraws::sort_by() const {
  for (const PredictorDraws& mean : means_) {
    if (const GroupDesign* group = mean.sort_by()) return group;
  }
  for (const Other& other : others_) {
    if (!other.predictor) continue;
    if (const GroupDesign* group = other.predictor->sort_by()) return group;
  }
  return nullptr;
}

}  // namespace jensen
