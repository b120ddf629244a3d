#pragma once
/// \file One step of stochastic variational inference, line by line as in the design's section 1.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "affine.hpp"
#include "ascending.hpp"
#include "batches.hpp"
#include "buffer.hpp"
#include "engine.hpp"
#include "level_set.hpp"
#include "score.hpp"
#include "small_step.hpp"
#include "target_set.hpp"
#include "term_set.hpp"

namespace jensen {

/// All that a model and its guide need on one device, allocated once, and the stages that run on it.
template <class Backend, class Head>
class ElboStep {
 public:
  using Guide = WithLevels<Head>;

  ElboStep(Backend& backend, Head head, const EngineSpec& spec);

  /// Enqueues one step; nothing here waits for the device. Steps of a small model may be held back until some have
  /// come together, or flush().
  void step(std::int64_t t, double learning_rate, int window) {
    if (anchored() && batch_range(rows_, batch_, t).begin == 0) move_anchor();
    const StepInput input = input_of(t, learning_rate, window);
    if (small()) {
      held_.push_back(input);
      if (held_.size() == most_steps_together) flush();
      return;
    }
    backend_.set(input_.data(), input);
    const RowWindow rows = select_rows(t);
    if (target_.any()) return enqueue(rows, false);  // what a caller enqueues may be none of a graph's
    backend_.replay({rows.batch, rows.rows.count}, [&] { enqueue(rows, false); });
  }

  /// Enqueues the steps that are held back. To be called before anything that step() changes is read or written.
  void flush() {
    if (!held_.empty()) run_small(held_, false);
    held_.clear();
  }

  /// The ELBO and its gradient at lambda, with the noise and rows of step t.
  void estimate(std::int64_t t) {
    const StepInput input = input_of(t, 0, -1);
    if (small()) return run_small({&input, 1}, true);
    backend_.set(input_.data(), input);
    enqueue(select_rows(t), true);
  }

  /// l_s over all rows for `s` fresh draws (s at most evaluation_samples), no gradient step. Leaves joint, eps and
  /// level_noise filled.
  void evaluate(int s, std::uint64_t first_draw) {
    StepInput input;
    input.step = first_draw;
    backend_.set(input_.data(), input);
    fill_noise(Purpose::evaluate, s, false);
    draw(s, false);
    evaluate_all(s);
    pull_back(s, 1.0, nullptr, 0);
  }

  /// With an affine map: value and gradient of the log joint over all rows at `s` (at most evaluation_samples) points
  /// u.
  std::vector<double> joint_at(std::span<const double> points, int s) {
    if (target_.any()) {
      backend_.upload(target_.points(), points.data(), points.size_bytes());
    } else {
      const std::vector<float> u(points.begin(), points.end());
      backend_.upload(terms_u(), u.data(), u.size() * sizeof(float));
      expand_ascending(s);
    }
    evaluate_all(s);
    std::vector<double> out(static_cast<std::size_t>(s) * (1 + static_cast<std::size_t>(dimension())));
    backend_.download(out.data(), by_u_.data(), out.size() * sizeof(double));
    return out;
  }
  void set_affine(std::span<const double> matrix, std::span<const double> shift) {
    affine_.upload(matrix);
    affine_shift_.upload(shift);
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
  bool subsampled() const { return batch_ < rows_; }
  /// With a target there is no anchor: its gradient over all rows is the caller's to compute, and may be dear.
  bool anchored() const { return subsampled() && !target_.any(); }
  double entropy_constant() const { return entropy_constant_; }

  Buffer<Backend, float> lambda, first_moment, second_moment, gradient, eps, anchor;
  Buffer<Backend, double> joint, anchor_joint, average[2];
  Buffer<Backend, StepStatistics> statistics;
  LevelSet<Backend> levels;

 private:
  /// One step, or only its gradient, from what input_ says. With small_step() the page that reads as the design's
  /// section 1.
  void enqueue(const RowWindow& rows, bool gradient_only) {
    const int s = samples_;
    const std::int64_t count = rows.rows.count;
    if (rows.rows.indices != nullptr) {
      backend_.select_rows(input_.data(), count, batch_rows_.data());
    }
    // (1) z_s = draw(lambda, eps_s)
    fill_noise(Purpose::train, s, true);
    draw(s, anchored());
    // (2) l_s = log p(z_s) + N/B sum_{i in batch} log p(x_i | z_s),   (4) g_s = d l_s / d z_s
    const double scale = count > 0 ? static_cast<double>(rows_) / static_cast<double>(count) : 0.0;
    const double* anchor_sums = anchored() ? anchor_joint.data() : nullptr;
    evaluate(s, rows, scale, anchor_sums);
    pull_back(s, scale, anchor_sums, reference_);
    // (3) ELBO ~= 1/S sum_s [l_s - log q(z_s; lambda)], with the entropy and the reference in closed form
    const auto prepare = prepare_elbo();
    backend_.for_each("prepare_elbo", prepare.items(), prepare, dimension());
    backend_.for_each("record_elbo", 1, record_elbo());
    // (5) dELBO/dlambda ~= pullback of g_s through (1), plus the closed form's gradient
    // (6) lambda <- optimizer(lambda, dELBO/dlambda)
    backend_.update_parameters(update(gradient_only));
  }

  /// The same of a small model, for some steps one after the other.
  SmallStep<Guide, Head> small_step(bool gradient_only) {
    const int s = samples_;
    return {input_.data(),
            noise(Purpose::train, s, true),
            {guide_.head, lambda.data(), spread_.data(), nullptr, s, w_.data(), z_.data()},
            terms_.evaluate_small(z_.data(), dimension(), s),
            terms_.sum_small(s),
            combine_terms(s, 1.0, nullptr, false, reference_, joint.data()),
            prepare_elbo(),
            record_elbo(),
            update(gradient_only)};
  }
  bool small() const {
    return Backend::small_terms_together && !subsampled() && ordered_.empty() && !levels.any() && !affine() &&
           terms_.small(samples_) && samples_ * guide_.size() * guide_.work() <= most_small_work;
  }
  void run_small([[maybe_unused]] std::span<const StepInput> inputs, [[maybe_unused]] bool gradient_only) {
    if constexpr (Backend::small_terms_together) backend_.run_steps(small_step(gradient_only), inputs);
  }

  StepInput input_of(std::int64_t t, double learning_rate, int window) const {
    StepInput input;
    input.step = static_cast<std::uint64_t>(t);
    if (subsampled()) {
      const BatchRange range = range_of(t);
      input.begin = range.begin;
      input.picked = !fixed_batches_;
      if (input.picked) {
        input.shuffle = Shuffle(static_cast<std::uint32_t>(rows_), seed_, static_cast<std::uint64_t>(range.epoch));
      }
    }
    input.step_size = static_cast<float>(Adam::corrected_step_size(learning_rate, t + 1));
    input.epsilon = static_cast<float>(Adam::corrected_epsilon(t + 1));
    input.window = window;
    return input;
  }

  /// Which rows step t takes; see batches.hpp.
  BatchRange range_of(std::int64_t t) const {
    return fixed_batches_ ? fixed_batch(rows_, batch_, t, seed_) : batch_range(rows_, batch_, t);
  }
  RowWindow select_rows(std::int64_t t) const {
    if (!subsampled()) return {{nullptr, rows_}, 0};
    const BatchRange range = range_of(t);
    const std::int64_t count = range.end - range.begin;
    if (batch_rows_.size() > 0) return {{batch_rows_.data(), count}, 0};
    return {{nullptr, count, range.begin}, static_cast<std::size_t>(range.batch)};
  }

  /// The anchor follows the location of q; its data terms are summed over all rows, once an epoch.
  void move_anchor() {
    backend_.for_each("move_anchor", dimension(), MoveAnchor{lambda.data(), anchor.data(), w_.data(), z_.data()});
    levels.move_anchor(lambda.data());
    expand(1, 0);
    terms_.evaluate(z_.data(), dimension(), levels.effects(), 1, all_rows_, false, levels.effect_sums());
    backend_.for_each("combine", 1 + dimension(), combine_terms(1, 1.0, nullptr, true, 0, joint.data()));
    backend_.for_each("anchor_joint", 1 + dimension(), Copy<double>{joint.data(), anchor_joint.data()});
    levels.keep_anchor_sums();
  }

  FillNoise<Head> noise(Purpose purpose, int s, bool antithetic) const {
    return {guide_.head, lambda.data(), seed_, purpose, input_.data(), s, antithetic, eps.data(), spread_.data()};
  }
  void fill_noise(Purpose purpose, int s, bool antithetic) {
    const FillNoise<Head> head = noise(purpose, s, antithetic);
    backend_.for_each("noise", head.items(), head, 200);
    levels.fill_noise(seed_, purpose, input_.data(), s, static_cast<std::uint32_t>(head.quads()), antithetic);
  }

  void draw(int s, bool with_anchor) {
    const int all = s + (with_anchor ? 1 : 0);
    backend_.for_each(
        "draw", static_cast<std::int64_t>(all) * dimension(),
        DrawLatent<Head>{guide_.head, lambda.data(), spread_.data(), anchor.data(), s, w_.data(), z_.data()},
        guide_.work());
    expand(all, with_anchor ? s : -1);
  }

  /// z from w: the affine map, thresholds and the groups' effects.
  void expand(int s, int anchor_sample) {
    const std::int64_t coordinates = static_cast<std::int64_t>(s) * dimension();
    if (target_.any()) {
      backend_.for_each("affine", coordinates, ExpandAffine<double>{affine_map(), w_.data(), target_.points()},
                        dimension());
    } else if (affine()) {
      backend_.for_each("affine", coordinates, ExpandAffine<float>{affine_map(), w_.data(), terms_u()}, dimension());
      expand_ascending(s);
    }
    for (const OrderedBlock& block : ordered_) {
      backend_.for_each("expand_ordered", s, ExpandOrdered{block, w_.data(), dimension(), z_.data()}, 200);
    }
    for (const HeadMap& map : head_maps_) {
      backend_.for_each("expand_head", static_cast<std::int64_t>(s) * map.count,
                        ExpandHead{map, w_.data(), dimension(), z_.data()}, map.count);
    }
    levels.expand(lambda.data(), z_.data(), dimension(), s, anchor_sample);
  }

  CombineTerms combine_terms(int s, double data_scale, const double* anchor_sums, bool data_only, double reference,
                             double* out) const {
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
            reference,
            out,
            z_.data()};
  }

  bool affine() const { return affine_.size() > 0; }
  /// Where u is to be written for terms: z itself, but for what is in ascending order.
  float* terms_u() { return u_.size() > 0 ? u_.data() : z_.data(); }
  void expand_ascending(int s) {
    if (u_.size() == 0) return;
    backend_.for_each("expand_ascending", static_cast<std::int64_t>(s) * dimension(),
                      ExpandAscending{ascending_.data(), u_.data(), dimension(), z_.data()}, 20);
  }
  AffineMap affine_map() const { return {affine_.data(), affine_shift_.data(), dimension()}; }

  /// The terms' sums over the rows, or a target's value and gradient there.
  void evaluate(int s, const RowWindow& rows, double scale, const double* anchor_sums) {
    if (target_.any()) return target_.evaluate(s, rows.rows, scale, by_u_.data());
    terms_.evaluate(z_.data(), dimension(), levels.effects(), s + (anchor_sums != nullptr ? 1 : 0), {&rows, 1}, true,
                    levels.effect_sums());
    if (affine()) combine_by_u(s, scale, anchor_sums);
  }
  void evaluate_all(int s) {
    if (target_.any()) return target_.evaluate(s, {nullptr, rows_}, 1.0, by_u_.data());
    terms_.evaluate(z_.data(), dimension(), levels.effects(), s, all_rows_, true, levels.effect_sums());
    if (affine()) combine_by_u(s, 1.0, nullptr);
  }
  void combine_by_u(int s, double scale, const double* anchor_sums) {
    const CombineTerms terms = combine_terms(s, scale, anchor_sums, false, 0, by_u_.data());
    backend_.for_each("combine", terms.items(), terms, 64);
    if (u_.size() == 0) return;
    backend_.for_each("pull_back_ascending", s,
                      PullBackAscending{ascending_.data(), u_.data(), dimension(), by_u_.data()}, 4 * dimension());
  }

  /// joint: value and gradient by w of what was evaluated, less the reference, which is one of w.
  void pull_back(int s, double scale, const double* anchor_sums, double reference) {
    if (!affine()) return combine(s, scale, anchor_sums, reference);
    backend_.for_each("pull_back_affine", static_cast<std::int64_t>(s) * (1 + dimension()),
                      PullBackAffine{affine_map(), w_.data(), reference, by_u_.data(), joint.data()}, dimension());
    if (!target_.any() || target_.has_gradient()) return;
    backend_.for_each("score", s, ScoreGradient<Head>{guide_.head, lambda.data(), eps.data(), s, joint.data()},
                      static_cast<std::int64_t>(dimension()) * dimension());
  }

  /// joint from the terms' sums, pulled back from z to w, less the reference.
  void combine(int s, double data_scale, const double* anchor_sums, double reference) {
    // The reference is one of w: where z is another, it is taken off after z's gradient is pulled back.
    const bool z_is_w = ordered_.empty() && head_maps_.empty();
    const CombineTerms terms = combine_terms(s, data_scale, anchor_sums, false, z_is_w ? reference : 0, joint.data());
    backend_.for_each("combine", terms.items(), terms, 64);
    levels.pull_back(s, data_scale, anchor_sums != nullptr, reference, joint.data());
    if (z_is_w) return;
    for (const HeadMap& map : head_maps_) {
      const std::int64_t items = static_cast<std::int64_t>(s) * map.count;
      backend_.for_each("pull_back_head", items, PullBackHead{map, joint.data(), dimension(), head_by_w_.data()},
                        map.count);
      backend_.for_each("keep_head", items, KeepHead{map, head_by_w_.data(), dimension(), joint.data()});
    }
    for (const OrderedBlock& block : ordered_) {
      backend_.for_each("pull_back_ordered", s, PullBackOrdered{block, w_.data(), dimension(), joint.data()}, 400);
    }
    backend_.for_each("reference", terms.items(), SubtractReference{reference, dimension(), w_.data(), joint.data()},
                      8);
  }

  PrepareElbo<Guide, Backend::elements_at_once> prepare_elbo() const {
    return {
        samples_, dimension(), joint.data(), good_.data(), {{guide_, lambda.data()}, guide_.size(), chunks_.data()}};
  }
  RecordElbo record_elbo() const {
    return {draws(), chunks_.data(), guide_.size(), entropy_constant_, good_count_.data(), statistics.data()};
  }
  UpdateParameter<Guide> update(bool gradient_only) const {
    return {guide_,
            draws(),
            {input_.data(),
             good_count_.data(),
             gradient_only,
             lambda.data(),
             gradient.data(),
             {first_moment.data(), second_moment.data()},
             {average[0].data(), average[1].data()}}};
  }

  Draws draws() const {
    Draws d{samples_, dimension(), eps.data(), joint.data(), good_.data(), good_count_.data()};
    levels.describe(d);
    return d;
  }

  /// Of the guide's stages, as TermSet's of the terms'.
  static constexpr std::int64_t most_small_work = 100'000;

  Backend& backend_;
  Guide guide_;
  std::int64_t rows_, batch_;
  int samples_;
  std::uint64_t seed_;
  double reference_;
  double entropy_constant_ = 0;
  double constant_ = 0;  ///< of all terms and levels
  bool fixed_batches_;
  std::vector<std::int64_t> batch_begin_;
  std::vector<RowWindow> all_rows_;
  std::vector<OrderedBlock> ordered_;
  std::vector<HeadMap> head_maps_;
  std::vector<Buffer<Backend, float>> matrices_;  ///< what `ordered_` and `head_maps_` point to
  Buffer<Backend, double> head_by_w_;             ///< S x E of the largest of `head_maps_`
  TermSet<Backend> terms_;
  TargetSet<Backend> target_;
  Buffer<Backend, double> affine_, affine_shift_;   ///< A and b; empty: there is no such map
  Buffer<Backend, double> by_u_;                    ///< S x (1 + D): value and gradient by u
  Buffer<Backend, float> u_;                        ///< S x D, of terms some of whose parameters are in ascending order
  Buffer<Backend, CoordinateTransform> ascending_;  ///< transforms of those
  Buffer<Backend, float> spread_, w_, z_;
  Buffer<Backend, std::uint32_t> batch_rows_;
  Buffer<Backend, std::int32_t> good_, good_count_;
  Buffer<Backend, double> chunks_;
  Buffer<Backend, StepInput> input_;
  std::vector<StepInput> held_;  ///< steps of a small model that have not been enqueued yet
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
      fixed_batches_(fixed_batches(spec)),
      batch_begin_(batch_begins(spec)),
      ordered_(spec.ordered),
      head_maps_(spec.head_maps),
      terms_(backend, levels.bind(spec), std::max(spec.samples + 1, evaluation_samples), levels.stride(), batch_begin_),
      target_(backend, spec, std::max(spec.samples + 1, evaluation_samples)) {
  levels.describe(guide_);
  const auto d = static_cast<std::size_t>(head.dimension);
  const auto size = static_cast<std::size_t>(guide_.size());
  const auto most = static_cast<std::size_t>(std::max(samples_ + 1, evaluation_samples));
  constexpr double log_two_pi_e = 2.8378770664093453;
  entropy_constant_ = 0.5 * (static_cast<double>(d) + static_cast<double>(levels.own_coordinates())) * log_two_pi_e;
  constant_ = levels.constant();
  for (const Term& term : spec.terms) constant_ += term.constant;
  const auto keep = [&](const float*& matrix, int count) {
    const auto n = static_cast<std::size_t>(count);
    matrices_.emplace_back(backend_, std::span<const float>(matrix, n * n));
    matrix = matrices_.back().data();
  };
  for (OrderedBlock& block : ordered_) keep(block.matrix, block.count);
  int largest = 0;
  for (HeadMap& map : head_maps_) {
    keep(map.matrix, map.count);
    largest = std::max(largest, map.count);
  }
  head_by_w_ = {backend_, most * static_cast<std::size_t>(largest)};
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
  if (spec.affine || target_.any()) {
    std::vector<double> identity(d * d);
    for (std::size_t i = 0; i < d; ++i) identity[i * d + i] = 1;
    affine_ = {backend_, std::span<const double>(identity)};
    affine_shift_ = {backend_, std::span<const double>(std::vector<double>(d))};
    by_u_ = {backend_, most * (1 + d)};
    by_u_.zero();
    if (!target_.any() && std::ranges::count(spec.transforms, CoordinateTransform::increment) > 0) {
      ascending_ = {backend_, std::span<const CoordinateTransform>(spec.transforms)};
      u_ = {backend_, most * d};
      u_.zero();
    }
  }
  anchor_joint = {backend_, 1 + d};
  const bool listed = subsampled() && !levels.any() && (Backend::lists_rows || !fixed_batches_);
  batch_rows_ = {backend_, listed ? static_cast<std::size_t>(batch_) : 0};
  good_ = {backend_, most};
  good_count_ = {backend_, 1};
  chunks_ = {backend_, static_cast<std::size_t>(sum_chunks)};
  input_ = {backend_, 1};
  statistics = {backend_, 1};
  for (auto* buffer : {&first_moment, &second_moment, &gradient, &eps, &w_, &z_, &anchor}) buffer->zero();
  for (auto* buffer : {&joint, &anchor_joint, &average[0], &average[1]}) buffer->zero();
  statistics.zero();
}

}  // namespace jensen
