#pragma once
/// \file One step of stochastic variational inference, line by line as in the design's section 1.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "buffer.hpp"
#include "engine.hpp"
#include "optimizers/adam.hpp"
#include "step_functors.hpp"
#include "sum.hpp"

namespace jensen {

/// All that a model and its guide need on one device, allocated once, and the stages that run on it.
template <class Backend, class Guide>
class ElboStep {
 public:
  ElboStep(Backend& backend, Guide guide, const EngineSpec& spec);

  /// Enqueues one step; nothing here waits for the device.
  void step(std::int64_t t, double learning_rate, int window) {
    if (anchored() && batch_range(rows_, batch_, t).begin == 0) move_anchor();
    estimate(t);
    // (6) lambda <- optimizer(lambda, dELBO/dlambda)
    const auto size = guide_.size();
    backend_.for_each("adam", size,
                      Adam{lambda.data(), first_moment.data(), second_moment.data(), gradient.data(),
                           good_count_.data(), static_cast<float>(Adam::corrected_step_size(learning_rate, t + 1)),
                           static_cast<float>(Adam::corrected_epsilon(t + 1))},
                      8);
    if (window >= 0) backend_.for_each("average", size, AddToAverage{lambda.data(), average[window].data()});
  }

  /// The ELBO and its gradient at lambda, with the noise and rows of step t.
  void estimate(std::int64_t t) {
    const int s = samples_;
    const BatchRange range = batch_range(rows_, batch_, t);
    const std::int64_t count = range.end - range.begin;
    RowList rows{nullptr, rows_};
    if (batch_ < rows_) {
      backend_.for_each(
          "select_rows", count,
          SelectRows{Shuffle(static_cast<std::uint32_t>(rows_), seed_, static_cast<std::uint64_t>(range.epoch)),
                     range.begin, batch_rows_.data()},
          40);
      rows = {batch_rows_.data(), count};
    }
    // (1) z_s = draw(lambda, eps_s)
    const FillNoise noise{seed_, Purpose::train, static_cast<std::uint64_t>(t), s, dimension(), true, eps.data()};
    backend_.for_each("noise", noise.items(), noise, 200);
    draw(s, anchored());
    // (2) l_s = log p(z_s) + N/B sum_{i in batch} log p(x_i | z_s),   (4) g_s = d l_s / d z_s
    evaluate_terms(rows, s + (anchored() ? 1 : 0), true);
    combine(s, count > 0 ? static_cast<double>(rows_) / static_cast<double>(count) : 0.0,
            anchored() ? anchor_joint.data() : nullptr, false, reference_);
    // (3) ELBO ~= 1/S sum_s [l_s - log q(z_s; lambda)], with the entropy and the reference in closed form
    backend_.for_each("check_finite", s, CheckFinite{dimension(), joint.data(), good_.data()}, dimension());
    sum(backend_, "closed_form", guide_.size(), ClosedFormSummand<Guide>{guide_, lambda.data()}, chunks_.data(),
        closed_form_.data());
    backend_.for_each(
        "record_elbo", 1,
        RecordElbo{draws(), closed_form_.data(), entropy_constant_, good_count_.data(), statistics.data()});
    // (5) dELBO/dlambda ~= pullback of g_s through (1), plus the closed form's gradient
    backend_.for_each("pull_back", guide_.size(), PullBack<Guide>{guide_, lambda.data(), draws(), gradient.data()},
                      s * guide_.work());
  }

  /// l_s over all rows for `s` fresh draws (s at most evaluation_samples), no gradient step. Leaves joint and eps
  /// filled.
  void evaluate(int s, std::uint64_t first_draw) {
    const FillNoise noise{seed_, Purpose::evaluate, first_draw, s, dimension(), false, eps.data()};
    backend_.for_each("noise", noise.items(), noise, 200);
    draw(s, false);
    evaluate_terms({nullptr, rows_}, s, true);
    combine(s, 1.0, nullptr, false);
  }

  static constexpr int evaluation_samples = 16;
  int dimension() const { return guide_.dimension; }
  std::int64_t size() const { return guide_.size(); }
  int samples() const { return samples_; }
  bool anchored() const { return batch_ < rows_; }
  double entropy_constant() const { return entropy_constant_; }

  Buffer<Backend, float> lambda, first_moment, second_moment, gradient, eps, anchor;
  Buffer<Backend, double> joint, anchor_joint, average[2];
  Buffer<Backend, Statistics> statistics;

 private:
  /// The anchor follows the location of q; its data terms are summed over all rows, once an epoch.
  void move_anchor() {
    backend_.for_each("move_anchor", dimension(), Copy<float>{lambda.data(), anchor.data()});
    backend_.for_each("anchor_latent", dimension(), Copy<float>{lambda.data(), z_.data()});
    evaluate_terms({nullptr, rows_}, 1, false);
    combine(1, 1.0, nullptr, true);
    backend_.for_each("anchor_joint", 1 + dimension(), Copy<double>{joint.data(), anchor_joint.data()});
  }

  void draw(int s, bool with_anchor) {
    backend_.for_each("spread_noise", static_cast<std::int64_t>(s) * dimension(),
                      SpreadNoise<Guide>{guide_, lambda.data(), eps.data(), spread_.data()}, 8);
    backend_.for_each("draw", static_cast<std::int64_t>(s + (with_anchor ? 1 : 0)) * dimension(),
                      DrawLatent<Guide>{guide_, lambda.data(), spread_.data(), anchor.data(), s, z_.data()},
                      guide_.work());
  }

  void evaluate_terms(RowList data_rows, int s, bool priors) {
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      const Term& term = terms_[i];
      if (!priors && !term.subsampled) continue;
      const RowList rows = term.subsampled ? data_rows : RowList{nullptr, term.rows};
      const BlockPlan plan = plan_blocks(rows.count, Backend::least_rows, Backend::most_blocks);
      blocks_[i] = plan.blocks;
      backend_.evaluate_term(term, rows, plan, z_.data(), dimension(), partials(i, s));
    }
  }

  void combine(int s, double data_scale, const double* anchor_sums, bool data_only, double reference = 0) {
    CombineTerms combine_terms{{},         static_cast<int>(terms_.size()),
                               s,          dimension(),
                               data_scale, anchor_sums,
                               data_only,  joint.data(),
                               z_.data(),  reference};
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      combine_terms.terms[i] = {terms_[i], partials(i, s + (anchor_sums == nullptr ? 0 : 1)), blocks_[i]};
    }
    backend_.for_each("combine", static_cast<std::int64_t>(s) * (1 + dimension()), combine_terms, 64);
  }

  Partials partials(std::size_t i, int s) const { return {partials_[i].data(), s, slot_count(terms_[i])}; }
  Draws draws() const { return {samples_, dimension(), eps.data(), joint.data(), good_.data(), good_count_.data()}; }

  Backend& backend_;
  Guide guide_;
  std::int64_t rows_, batch_;
  int samples_;
  std::uint64_t seed_;
  double reference_;
  double entropy_constant_ = 0;
  std::vector<Term> terms_;                      ///< pointers into device memory
  std::vector<std::int64_t> blocks_;             ///< of each term, in its latest evaluation
  std::vector<Buffer<Backend, float>> columns_;  ///< what the terms point to
  std::vector<Buffer<Backend, double>> partials_;
  Buffer<Backend, float> spread_, z_;
  Buffer<Backend, std::uint32_t> batch_rows_;
  Buffer<Backend, std::int32_t> good_, good_count_;
  Buffer<Backend, double> chunks_, closed_form_;
};

template <class Backend, class Guide>
ElboStep<Backend, Guide>::ElboStep(Backend& backend, Guide guide, const EngineSpec& spec)
    : backend_(backend),
      guide_(guide),
      rows_(spec.rows),
      batch_(spec.batch),
      samples_(spec.samples),
      seed_(spec.seed),
      reference_(static_cast<double>(spec.reference)),
      terms_(spec.terms),
      blocks_(spec.terms.size()) {
  const auto d = static_cast<std::size_t>(guide.dimension);
  const auto size = static_cast<std::size_t>(guide.size());
  const auto most = static_cast<std::size_t>(std::max(samples_ + 1, evaluation_samples));
  constexpr double log_two_pi_e = 2.8378770664093453;
  entropy_constant_ = 0.5 * static_cast<double>(d) * log_two_pi_e;

  const auto keep = [&](const float*& pointer, std::int64_t count) {
    if (pointer == nullptr) return;
    columns_.emplace_back(backend_, std::span<const float>(pointer, static_cast<std::size_t>(count)));
    pointer = columns_.back().data();
  };
  for (Term& term : terms_) {
    for (const float*& column : term.constants) keep(column, term.rows);
    for (Predictor& predictor : term.arguments) {
      keep(predictor.offset, term.rows);
      for (Part& part : predictor.parts) keep(part.x, term.rows * part.columns);
    }
    const std::int64_t largest = bound_blocks(term.rows, Backend::least_rows, Backend::most_blocks);
    partials_.emplace_back(backend_,
                           static_cast<std::size_t>(largest) * most * static_cast<std::size_t>(1 + slot_count(term)));
  }
  lambda = {backend_, std::span<const float>(spec.lambda)};
  first_moment = {backend_, size};
  second_moment = {backend_, size};
  gradient = {backend_, size};
  for (auto& sums : average) sums = {backend_, size};
  eps = {backend_, most * d};
  spread_ = {backend_, most * d};
  z_ = {backend_, most * d};
  anchor = {backend_, d};
  joint = {backend_, most * (1 + d)};
  anchor_joint = {backend_, 1 + d};
  batch_rows_ = {backend_, anchored() ? static_cast<std::size_t>(batch_) : 0};
  good_ = {backend_, most};
  good_count_ = {backend_, 1};
  chunks_ = {backend_, static_cast<std::size_t>(sum_chunks)};
  closed_form_ = {backend_, 1};
  statistics = {backend_, 1};
  for (auto* buffer : {&first_moment, &second_moment, &gradient, &eps, &z_, &anchor}) buffer->zero();
  for (auto* buffer : {&joint, &anchor_joint, &average[0], &average[1]}) buffer->zero();
  statistics.zero();
}

}  // namespace jensen
