#include "model/latent_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace jensen {
namespace {

class Builder {
 public:
  Builder(const ModelData& data, const ResolvedPriors& priors) : data_(data), priors_(priors) {
    layout_.blocks.resize(data.predictors.size());
  }

  LatentLayout build() {
    for (std::size_t i = 0; i < data_.predictors.size(); ++i) {
      if (data_.predictors[i].design != nullptr) add_coefficients(i);
      if (i == 0) add_increments();
    }
    for (std::size_t i = 0; i < data_.predictors.size(); ++i) add_groups(i);
    for (std::size_t i = 0; i < data_.predictors.size(); ++i) {
      const PredictorData& p = data_.predictors[i];
      if (p.design != nullptr || !p.intercept) continue;
      layout_.blocks[i].first = layout_.size();
      add(p.parameter, p.link == Link::logit ? Transform::logistic : Transform::exponential, ParameterClass::family);
    }
    for (std::size_t i = 0; i < data_.predictors.size(); ++i) add_horseshoe(i);
    return std::move(layout_);
  }

 private:
  void add(std::string name, Transform transform, ParameterClass kind) {
    layout_.parameters.push_back({std::move(name), transform, kind});
  }

  void add_coefficients(std::size_t i) {
    const PredictorData& p = data_.predictors[i];
    layout_.blocks[i].first = layout_.size();
    for (std::size_t j = 0; j < p.coefficients(); ++j) {
      const bool threshold = data_.thresholds > 0 && j == 0;
      add("b_" + p.infix + coefficient_name(p, j) + (threshold ? "[1]" : ""), Transform::identity,
          ParameterClass::population);
    }
  }

  void add_increments() {
    layout_.increments = layout_.size();
    for (std::size_t k = 2; k <= data_.thresholds; ++k) {
      add(fmt::format("b_Intercept[{}]", k), Transform::increment, ParameterClass::population);
    }
  }

  void add_groups(std::size_t i) {
    const PredictorData& p = data_.predictors[i];
    for (const GroupData& group : p.groups) {
      LatentLayout::Group place;
      place.sd = layout_.size();
      const std::size_t q = group.effects();
      for (std::size_t e = 0; e < q; ++e) add(sd_name(p, group, e), Transform::exponential, ParameterClass::group);
      if (group.design->correlated() && q > 1) {
        place.correlation = layout_.size();
        for (std::size_t a = 1; a < q; ++a) {
          for (std::size_t b = 0; b < a; ++b) {
            add(correlation_name(p, group, b, a), Transform::correlation, ParameterClass::group);
          }
        }
      }
      layout_.blocks[i].groups.push_back(place);
    }
  }

  void add_horseshoe(std::size_t i) {
    const PredictorData& p = data_.predictors[i];
    const std::vector<Prior>& coefficients = priors_.predictors[i].coefficients;
    if (std::ranges::none_of(coefficients, [](const Prior& prior) { return prior.kind == PriorKind::horseshoe; }))
      return;
    LatentLayout::Block& block = layout_.blocks[i];
    block.has_horseshoe = true;
    block.horseshoe.local = layout_.size();
    for (const std::string& name : p.design->names()) {
      add("hs_local_" + p.infix + name, Transform::exponential, ParameterClass::family);
    }
    block.horseshoe.global = layout_.size();
    const std::string suffix = p.infix.empty() ? "" : "_" + p.infix.substr(0, p.infix.size() - 1);
    add("hs_global" + suffix, Transform::exponential, ParameterClass::family);
    add("hs_slab" + suffix, Transform::exponential, ParameterClass::family);
  }

  const ModelData& data_;
  const ResolvedPriors& priors_;
  LatentLayout layout_;
};

}  // namespace

LatentLayout make_layout(const ModelData& data, const ResolvedPriors& priors) { return Builder(data, priors).build(); }

}  // namespace jensen
