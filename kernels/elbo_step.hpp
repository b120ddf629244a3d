#pragma once
/// \file One step of stochastic variational inference, line by line as in the design's section 1.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "buffer.hpp"
#include "engine.hpp"
#include "level_set.hpp"
#include "optimizers/adam.hpp"
#include "step_functors.hpp"
#include "sum.hpp"
#include "term_set.hpp"

namespace jensen {

/// All that a model and its guide need on one device, allocated once, and the stages that run on it.
template <class Backend, class Head>
class ElboStep {
 public:
  using Guide = WithLevels<Head>;

  ElboStep(Backend& backend, Head head, const EngineSpec& spec);

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
    const RowWindow window = select_rows(t);
    const std::int64_t count = window.rows.count;
    // (1) z_s = draw(lambda, eps_s)
    fill_noise(Purpose::train, static_cast<std::uint64_t>(t), s, true);
    draw(s, anchored());
    // (2) l_s = log p(z_s) + N/B sum_{i in batch} log p(x_i | z_s),   (4) g_s = d l_s / d z_s
    terms_.evaluate(z_.data(), dimension(), levels.effects(), s + (anchored() ? 1 : 0), {&window, 1}, true,
                    levels.effect_sums());
    combine(s, count > 0 ? static_cast<double>(rows_) / static_cast<double>(count) : 0.0,
            anchored() ? anchor_joint.data() : nullptr, reference_);
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

  /// l_s over all rows for `s` fresh draws (s at most evaluation_samples), no gradient step. Leaves joint, eps and
  /// level_noise filled.
  void evaluate(int s, std::uint64_t first_draw) {
    fill_noise(Purpose::evaluate, first_draw, s, false);
    draw(s, false);
    terms_.evaluate(z_.data(), dimension(), levels.effects(), s, all_rows_, true, levels.effect_sums());
    combine(s, 1.0, nullptr, 0);
  }

  /// The data terms alone, over `rows` or (none, or with groups) all rows, at the S latents of the last estimate().
  void pass(RowList rows) {
    levels.clear_effect_sums();
    const RowWindow some{rows, 0};
    const std::span<const RowWindow> windows =
        rows.count > 0 && !levels.any() ? std::span(&some, 1) : std::span<const RowWindow>(all_rows_);
    terms_.evaluate(z_.data(), dimension(), levels.effects(), samples_, windows, false, levels.effect_sums());
  }
  const float* latents() const { return z_.data(); }
  const double* data_sums() const { return terms_.sums(); }

  static constexpr int evaluation_samples = 16;
  int dimension() const { return guide_.head.dimension; }
  std::int64_t size() const { return guide_.size(); }
  int samples() const { return samples_; }
  bool anchored() const { return batch_ < rows_; }
  double entropy_constant() const { return entropy_constant_; }

  Buffer<Backend, float> lambda, first_moment, second_moment, gradient, eps, anchor;
  Buffer<Backend, double> joint, anchor_joint, average[2];
  Buffer<Backend, Statistics> statistics;
  LevelSet<Backend> levels;

 private:
  /// The rows of step t: of an epoch's reshuffling, or with groups a batch that is always the same rows.
  RowWindow select_rows(std::int64_t t) {
    if (!anchored()) return {{nullptr, rows_}, 0};
    const BatchRange range = batch_range(rows_, batch_, t);
    const std::int64_t count = range.end - range.begin;
    const auto epoch = static_cast<std::uint64_t>(range.epoch);
    if (levels.any()) {
      const std::int64_t batches = batch_count(rows_, batch_);
      const Shuffle order(static_cast<std::uint32_t>(batches), seed_, epoch);
      const std::int64_t b = order(static_cast<std::uint32_t>(t % batches));
      const std::int64_t begin = batch_begin(rows_, batches, b);
      return {{nullptr, batch_begin(rows_, batches, b + 1) - begin, begin}, static_cast<std::size_t>(b)};
    }
    backend_.for_each(
        "select_rows", count,
        SelectRows{Shuffle(static_cast<std::uint32_t>(rows_), seed_, epoch), range.begin, batch_rows_.data()}, 40);
    return {{batch_rows_.data(), count}, 0};
  }

  /// The anchor follows the location of q; its data terms are summed over all rows, once an epoch.
  void move_anchor() {
    backend_.for_each("move_anchor", dimension(), Copy<float>{lambda.data(), anchor.data()});
    backend_.for_each("anchor_latent", dimension(), Copy<float>{lambda.data(), w_.data()});
    levels.move_anchor(lambda.data());
    expand(1, 0);
    terms_.evaluate(z_.data(), dimension(), levels.effects(), 1, all_rows_, false, levels.effect_sums());
    backend_.for_each("combine", 1 + dimension(), combine_terms(1, 1.0, nullptr, true));
    backend_.for_each("anchor_joint", 1 + dimension(), Copy<double>{joint.data(), anchor_joint.data()});
    levels.keep_anchor_sums();
  }

  void fill_noise(Purpose purpose, std::uint64_t step, int s, bool antithetic) {
    const FillNoise noise{seed_, purpose, step, s, dimension(), antithetic, eps.data()};
    backend_.for_each("noise", noise.items(), noise, 200);
    levels.fill_noise(seed_, purpose, step, s, static_cast<std::uint32_t>(noise.quads()), antithetic);
  }

  void draw(int s, bool with_anchor) {
    backend_.for_each("spread_noise", static_cast<std::int64_t>(s) * dimension(),
                      SpreadNoise<Head>{guide_.head, lambda.data(), eps.data(), spread_.data()}, 8);
    backend_.for_each("draw", static_cast<std::int64_t>(s + (with_anchor ? 1 : 0)) * dimension(),
                      DrawLatent<Head>{guide_.head, lambda.data(), spread_.data(), anchor.data(), s, w_.data()},
                      guide_.work());
    expand(s + (with_anchor ? 1 : 0), with_anchor ? s : -1);
  }

  /// z from w: thresholds and the groups' effects.
  void expand(int s, int anchor_sample) {
    backend_.for_each("latent", static_cast<std::int64_t>(s) * dimension(), Copy<float>{w_.data(), z_.data()});
    for (const OrderedBlock& block : ordered_) {
      backend_.for_each("expand_ordered", s, ExpandOrdered{block, w_.data(), dimension(), z_.data()}, 200);
    }
    levels.expand(lambda.data(), z_.data(), dimension(), s, anchor_sample);
  }

  CombineTerms combine_terms(int s, double data_scale, const double* anchor_sums, bool data_only) const {
    return {terms_.rows(),
            terms_.term_count(),
            terms_.sums(),
            terms_.contribution_begin(),
            terms_.contributions(),
            s,
            dimension(),
            constant_,
            data_scale,
            anchor_sums,
            data_only,
            joint.data(),
            z_.data()};
  }

  /// joint from the terms' sums, pulled back from z to w, less the reference.
  void combine(int s, double data_scale, const double* anchor_sums, double reference) {
    const std::int64_t items = static_cast<std::int64_t>(s) * (1 + dimension());
    backend_.for_each("combine", items, combine_terms(s, data_scale, anchor_sums, false), 64);
    levels.pull_back(s, data_scale, anchor_sums != nullptr, reference, joint.data());
    for (const OrderedBlock& block : ordered_) {
      backend_.for_each("pull_back_ordered", s, PullBackOrdered{block, w_.data(), dimension(), joint.data()}, 400);
    }
    if (reference == 0) return;
    backend_.for_each("reference", items, SubtractReference{reference, dimension(), w_.data(), joint.data()}, 8);
  }

  Draws draws() const {
    Draws d{samples_, dimension(), eps.data(), joint.data(), good_.data(), good_count_.data()};
    levels.describe(d);
    return d;
  }

  Backend& backend_;
  Guide guide_;
  std::int64_t rows_, batch_;
  int samples_;
  std::uint64_t seed_;
  double reference_;
  double entropy_constant_ = 0;
  double constant_ = 0;  ///< of all terms and levels
  std::vector<std::int64_t> batch_begin_;
  std::vector<RowWindow> all_rows_;
  std::vector<OrderedBlock> ordered_;
  std::vector<Buffer<Backend, float>> matrices_;  ///< what `ordered_` points to
  TermSet<Backend> terms_;
  Buffer<Backend, float> spread_, w_, z_;
  Buffer<Backend, std::uint32_t> batch_rows_;
  Buffer<Backend, std::int32_t> good_, good_count_;
  Buffer<Backend, double> chunks_, closed_form_;
};

/// First row of each fixed batch, and the end.
inline std::vector<std::int64_t> batch_begins(const EngineSpec& spec) {
  const std::int64_t batches = batch_count(spec.rows, std::max<std::int64_t>(spec.batch, 1));
  std::vector<std::int64_t> begin;
  for (std::int64_t b = 0; b <= batches; ++b) begin.push_back(batch_begin(spec.rows, batches, b));
  return begin;
}

template <class Backend, class Head>
ElboStep<Backend, Head>::ElboStep(Backend& backend, Head head, const EngineSpec& spec)
    : levels(backend, spec, std::max(spec.samples + 1, evaluation_samples), head.size()),
      backend_(backend),
      guide_{head, spec.reference},
      rows_(spec.rows),
      batch_(spec.batch),
      samples_(spec.samples),
      seed_(spec.seed),
      reference_(static_cast<double>(spec.reference)),
      batch_begin_(batch_begins(spec)),
      ordered_(spec.ordered),
      terms_(backend, levels.bind(spec), std::max(spec.samples + 1, evaluation_samples), levels.stride(),
             batch_begin_) {
  levels.describe(guide_);
  const auto d = static_cast<std::size_t>(head.dimension);
  const auto size = static_cast<std::size_t>(guide_.size());
  const auto most = static_cast<std::size_t>(std::max(samples_ + 1, evaluation_samples));
  constexpr double log_two_pi_e = 2.8378770664093453;
  entropy_constant_ = 0.5 * (static_cast<double>(d) + static_cast<double>(levels.own_coordinates())) * log_two_pi_e;
  constant_ = levels.constant();
  for (const Term& term : spec.terms) constant_ += term.constant;
  for (OrderedBlock& block : ordered_) {
    matrices_.emplace_back(backend_, std::span<const float>(block.matrix, static_cast<std::size_t>(block.count) *
                                                                              static_cast<std::size_t>(block.count)));
    block.matrix = matrices_.back().data();
  }
  if (levels.any()) {
    for (std::size_t b = 0; b + 1 < batch_begin_.size(); ++b) {
      all_rows_.push_back({{nullptr, batch_begin_[b + 1] - batch_begin_[b], batch_begin_[b]}, b});
    }
  } else {
    all_rows_.push_back({{nullptr, rows_}, 0});
  }
  lambda = {backend_, std::span<const float>(spec.lambda)};
  first_moment = {backend_, size};
  second_moment = {backend_, size};
  gradient = {backend_, size};
  for (auto& sums : average) sums = {backend_, size};
  eps = {backend_, most * d};
  spread_ = {backend_, most * d};
  w_ = {backend_, most * d};
  z_ = {backend_, most * d};
  anchor = {backend_, d};
  joint = {backend_, most * (1 + d)};
  anchor_joint = {backend_, 1 + d};
  batch_rows_ = {backend_, anchored() && !levels.any() ? static_cast<std::size_t>(batch_) : 0};
  good_ = {backend_, most};
  good_count_ = {backend_, 1};
  chunks_ = {backend_, static_cast<std::size_t>(sum_chunks)};
  closed_form_ = {backend_, 1};
  statistics = {backend_, 1};
  for (auto* buffer : {&first_moment, &second_moment, &gradient, &eps, &w_, &z_, &anchor}) buffer->zero();
  for (auto* buffer : {&joint, &anchor_joint, &average[0], &average[1]}) buffer->zero();
  statistics.zero();
}

}  // namespace jensen
