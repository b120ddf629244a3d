#pragma once
/// \file A caller's log joint on one device, at S samples: what TermSet is for terms. [equations (2) and (4)]

#include <span>

#include "buffer.hpp"
#include "constrain.hpp"
#include "engine.hpp"

namespace jensen {

template <class Backend>
class TargetSet {
 public:
  TargetSet(Backend& backend, const EngineSpec& spec, int most_samples) : backend_(backend), target_(spec.target) {
    if (target_ == nullptr) return;
    const auto d = static_cast<std::size_t>(spec.dimension);
    const auto most = static_cast<std::size_t>(most_samples);
    dimension_ = spec.dimension;
    transforms_ = {backend, std::span<const CoordinateTransform>(spec.transforms)};
    u_ = {backend, most * d};
    theta_ = {backend, most * d};
    log_density_ = {backend, most};
    if (has_gradient()) slope_ = {backend, most * d};
  }

  bool any() const { return target_ != nullptr; }
  bool has_gradient() const { return target_->has_gradient(); }
  /// Where the samples' coordinates are to be written: S x D.
  double* points() const { return u_.data(); }

  /// joint (S x (1 + D)): value and gradient by u at points(), the rows' sum times `scale`.
  void evaluate(int samples, const RowList& rows, double scale, double* joint) {
    const std::int64_t d = dimension_;
    backend_.for_each("constrain", samples * d, Constrain{transforms_.data(), u_.data(), dimension_, theta_.data()},
                      40);
    {
      const auto timed = backend_.stage("target");
      target_->evaluate(theta_.data(), samples, dimension_, rows, scale, backend_.stream(), log_density_.data(),
                        slope_.data());
    }
    backend_.for_each("unconstrain", samples * (1 + d),
                      Unconstrain{transforms_.data(), u_.data(), log_density_.data(), slope_.data(), dimension_, joint},
                      40);
  }

 private:
  Backend& backend_;
  LogJoint* target_;
  int dimension_ = 0;
  Buffer<Backend, CoordinateTransform> transforms_;
  Buffer<Backend, double> u_, theta_, log_density_, slope_;
};

}  // namespace jensen
