#pragma once
/// \file Engine for any backend: host-side reads and writes around ElboStep. Instantiated in engine_cpu.cpp and
/// engine_cuda.cu.

#include <algorithm>
#include <cmath>

#include "elbo_step.hpp"
#include "engine.hpp"
#include "guides/fullrank.hpp"
#include "guides/meanfield.hpp"

namespace jensen {

template <class Backend, class Guide>
class EngineOf final : public Engine {
 public:
  EngineOf(std::unique_ptr<Backend> backend, Buffer<Backend, float> basis, Guide guide, const EngineSpec& spec)
      : backend_(std::move(backend)), basis_(std::move(basis)), step_(*backend_, guide, spec) {}

  void step(std::int64_t t, double learning_rate, int window) override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.step(t, learning_rate, window);
    if (window >= 0) ++averaged_[window];
  }

  StepStatistics take_statistics() override {
    [[maybe_unused]] const auto scope = backend_->enter();
    const StepStatistics sums = statistics();
    step_.statistics.zero();
    return sums;
  }

  StepStatistics statistics() override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.flush();
    return step_.statistics.download().front();
  }

  void reset_averages() override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.flush();
    for (int w = 0; w < 2; ++w) {
      step_.average[w].zero();
      averaged_[w] = 0;
    }
  }

  std::vector<double> average(int window) override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.flush();
    std::vector<double> mean = step_.average[window].download();
    const auto count = static_cast<double>(std::max<std::int64_t>(averaged_[window], 1));
    for (double& value : mean) value /= count;
    return mean;
  }

  std::vector<float> lambda() override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.flush();
    return step_.lambda.download();
  }

  Evaluation evaluate(std::span<const float> at, int draws) override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.flush();
    const std::vector<float> kept = step_.lambda.download();
    step_.lambda.upload(at);
    Evaluation result;
    const int d = step_.dimension();
    for (int done = 0; done < draws; done += step_.evaluation_samples) {
      const int count = std::min(step_.evaluation_samples, draws - done);
      step_.evaluate(count, static_cast<std::uint64_t>(done));
      const std::vector<double> joint = step_.joint.download();
      const std::vector<float> eps = step_.eps.download();
      const std::vector<double> levels = step_.levels.download_noise_squared();
      result.noise.insert(result.noise.end(), eps.begin(), eps.begin() + static_cast<std::ptrdiff_t>(count) * d);
      for (int s = 0; s < count; ++s) {
        double square = levels[static_cast<std::size_t>(s)];
        for (int i = 0; i < d; ++i) {
          const auto e = static_cast<double>(eps[static_cast<std::size_t>(s) * d + i]);
          square += e * e;
        }
        result.log_joint.push_back(joint[static_cast<std::size_t>(s) * (1 + d)]);
        result.noise_squared.push_back(square);
      }
    }
    step_.lambda.upload(kept);
    return result;
  }

  void set_affine(std::span<const double> matrix, std::span<const double> shift,
                  std::span<const float> basis) override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.set_affine(matrix, shift);
    basis_.upload(basis);
  }

  std::vector<double> joint_at(std::span<const double> points) override {
    [[maybe_unused]] const auto scope = backend_->enter();
    const auto d = static_cast<std::size_t>(step_.dimension());
    std::vector<double> joint;
    for (std::size_t done = 0; done < points.size() / d;) {
      const std::size_t count = std::min(points.size() / d - done, static_cast<std::size_t>(step_.evaluation_samples));
      const std::vector<double> some = step_.joint_at(points.subspan(done * d, count * d), static_cast<int>(count));
      joint.insert(joint.end(), some.begin(), some.end());
      done += count;
    }
    return joint;
  }

  EngineState state() override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.flush();
    EngineState state{step_.lambda.download(),
                      step_.first_moment.download(),
                      step_.second_moment.download(),
                      {},
                      {},
                      step_.anchor.download(),
                      step_.levels.anchor_levels.download(),
                      step_.levels.anchor_sums.download(),
                      step_.anchor_joint.download(),
                      statistics()};
    for (int w = 0; w < 2; ++w) {
      state.average[w] = step_.average[w].download();
      state.averaged[w] = averaged_[w];
    }
    return state;
  }

  void restore(const EngineState& state) override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.flush();
    step_.lambda.upload(state.lambda);
    step_.first_moment.upload(state.first_moment);
    step_.second_moment.upload(state.second_moment);
    for (int w = 0; w < 2; ++w) {
      step_.average[w].upload(state.average[w]);
      averaged_[w] = state.averaged[w];
    }
    step_.anchor.upload(state.anchor);
    step_.levels.anchor_levels.upload(state.anchor_levels);
    step_.levels.anchor_sums.upload(state.anchor_effect_sums);
    step_.anchor_joint.upload(state.anchor_joint);
    step_.statistics.upload({&state.statistics, 1});
  }

  Estimate estimate(std::span<const float> at, std::int64_t t) override {
    [[maybe_unused]] const auto scope = backend_->enter();
    step_.flush();
    step_.lambda.upload(at);
    step_.statistics.zero();
    step_.estimate(t);
    Estimate result{step_.statistics.download().front().last_elbo, step_.gradient.download(), step_.eps.download(),
                    step_.levels.download_noise()};
    const auto samples = static_cast<std::size_t>(step_.samples());
    result.noise.resize(samples * static_cast<std::size_t>(step_.dimension()));
    const auto stride = static_cast<std::size_t>(step_.levels.stride());
    for (std::size_t i = 0; i < result.level_noise.size() / stride; ++i) {
      for (std::size_t k = 0; k < samples; ++k)
        result.level_noise[i * samples + k] = result.level_noise[i * stride + k];
    }
    result.level_noise.resize(result.level_noise.size() / stride * samples);
    step_.statistics.zero();
    return result;
  }

  Pass pass(RowList rows) override {
    [[maybe_unused]] const auto scope = backend_->enter();
    backend_->seconds([&] { step_.pass(rows); });  // waits
    return {step_.latents(), step_.levels.effects(), step_.data_sums(), step_.levels.effect_sums()};
  }
  double time_passes(int count) override {
    [[maybe_unused]] const auto scope = backend_->enter();
    return backend_->seconds([&] {
      for (int i = 0; i < count; ++i) step_.pass({});
    });
  }
  void time_stages(bool on) override { backend_->clock.on = on; }
  std::vector<StageTime> take_stages() override {
    [[maybe_unused]] const auto scope = backend_->enter();
    return backend_->clock.take();
  }

 private:
  std::unique_ptr<Backend> backend_;
  Buffer<Backend, float> basis_;
  ElboStep<Backend, Guide> step_;
  std::int64_t averaged_[2] = {};
};

template <class Backend>
std::unique_ptr<Engine> make_engine(std::unique_ptr<Backend> backend, const EngineSpec& spec) {
  [[maybe_unused]] const auto scope = backend->enter();
  if (spec.groups.size() > max_groups) throw std::length_error("a model has at most 8 groups (make_engine)");
  if ((spec.affine || spec.target != nullptr) && !(spec.groups.empty() && spec.ordered.empty())) {
    throw std::invalid_argument("groups and thresholds have coordinates of their own (make_engine); no affine map");
  }
  if (spec.target != nullptr && !spec.target->has_gradient() &&
      (spec.samples % 2 != 0 || spec.samples < least_score_samples)) {
    throw std::invalid_argument("without gradients samples come in pairs, two at least (make_engine)");
  }
  for (const Term& term : spec.terms) {
    if (term.resident && spec.storage != Storage::float32) {
      throw std::invalid_argument("a resident term's columns are used as they are (make_engine); keep storage float32");
    }
  }
  if (spec.guide == GuideShape::meanfield) {
    Buffer<Backend, float> basis(*backend, std::span<const float>(spec.basis));
    const Meanfield guide{spec.dimension, basis.data(), spec.reference};
    return std::make_unique<EngineOf<Backend, Meanfield>>(std::move(backend), std::move(basis), guide, spec);
  }
  return std::make_unique<EngineOf<Backend, Fullrank>>(std::move(backend), Buffer<Backend, float>(),
                                                       Fullrank{spec.dimension, spec.reference}, spec);
}

}  // namespace jensen
