#pragma once
/// \file The stages of a step up to the latents, each the arithmetic of one element: noise, draws, rows. [equation (1)]

#include <cstdint>

#include "noise.hpp"
#include "step_input.hpp"

namespace jensen {

/// eps for sample pair and four coordinates, and the same as the guide's draw wants it. Samples 2k and 2k + 1 are
/// mirror images (antithetic), which cancels what is odd about the mode: the whole noise of the location's gradient
/// where the log joint is quadratic.
template <class Guide>
struct FillNoise {
  Guide guide;
  const float* lambda;
  std::uint64_t seed;
  Purpose purpose;
  const StepInput* input;
  int samples;
  bool antithetic;
  float* eps;     ///< S x D
  float* spread;  ///< S x D: guide.spread() of eps

  JENSEN_HD std::int64_t quads() const { return (guide.dimension + 3) / 4; }
  JENSEN_HD std::int64_t items() const { return (antithetic ? (samples + 1) / 2 : samples) * quads(); }

  JENSEN_HD void operator()(std::int64_t item) const {
    const auto quad = static_cast<std::uint32_t>(item % quads());
    const auto stream = static_cast<std::uint32_t>(item / quads());
    const Normals normals = standard_normals(seed, purpose, input->step, stream, quad);
    for (int k = 0; k < 4; ++k) {
      const int d = static_cast<int>(quad) * 4 + k;
      if (d >= guide.dimension) return;
      const auto first = static_cast<int>(antithetic ? 2 * stream : stream);
      write(first, d, normals.n[k]);
      if (antithetic && first + 1 < samples) write(first + 1, d, -normals.n[k]);
    }
  }

 private:
  JENSEN_HD void write(int s, int d, float e) const {
    const std::int64_t at = static_cast<std::int64_t>(s) * guide.dimension + d;
    eps[at] = e;
    spread[at] = guide.spread(lambda, e, d);
  }
};

/// eps of the groups' levels, coordinate-major: for sample pair and four coordinates, after the head's quads.
struct FillLevelNoise {
  std::uint64_t seed;
  Purpose purpose;
  const StepInput* input;
  int samples;
  std::uint32_t first_quad;
  std::int64_t coordinates;
  std::int64_t stride;
  bool antithetic;
  float* eps;

  JENSEN_HD int streams() const { return antithetic ? (samples + 1) / 2 : samples; }
  JENSEN_HD std::int64_t quads() const { return (coordinates + 3) / 4; }
  JENSEN_HD std::int64_t items() const { return streams() * quads(); }

  JENSEN_HD void operator()(std::int64_t item) const {
    const auto stream = static_cast<std::uint32_t>(item % streams());
    const std::int64_t quad = item / streams();
    const Normals normals = normals_of(philox(counter(stream, quad), seed));
    for (int k = 0; k < 4; ++k) write(quad, k, static_cast<int>(stream), normals.n[k]);
  }
  JENSEN_HD Words counter(std::uint32_t stream, std::int64_t quad) const {
    return counter_of(purpose, input->step, stream, first_quad + static_cast<std::uint32_t>(quad));
  }
  /// The stream's number for coordinate k of four.
  JENSEN_HD void write(std::int64_t quad, int k, int stream, float normal) const {
    if (4 * quad + k >= coordinates) return;
    float* at = eps + (4 * quad + k) * stride;
    if (!antithetic) {
      at[stream] = normal;
    } else {
      at[2 * stream] = normal;
      if (2 * stream + 1 < samples) at[2 * stream + 1] = -normal;
    }
  }
};

/// w_s = draw(lambda, eps_s), and z_s before thresholds are expanded: the same; the row after the last sample is the
/// anchor, if there is one. [equation (1)]
template <class Guide>
struct DrawLatent {
  Guide guide;
  const float* lambda;
  const float* spread;  ///< S x D, from FillNoise
  const float* anchor;
  int samples;
  float* w;
  float* z;
  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item / guide.dimension);
    const auto i = static_cast<int>(item % guide.dimension);
    w[item] = s < samples ? guide.draw(lambda, spread + static_cast<std::int64_t>(s) * guide.dimension, i) : anchor[i];
    z[item] = w[item];
  }
};

/// The anchor's latent: the location of q.
struct MoveAnchor {
  const float* lambda;
  float *anchor, *w, *z;
  JENSEN_HD void operator()(std::int64_t i) const { anchor[i] = w[i] = z[i] = lambda[i]; }
};

template <class T>
struct Copy {
  const T* from;
  T* to;
  JENSEN_HD void operator()(std::int64_t i) const { to[i] = from[i]; }
};

/// The numbers of one minibatch's rows.
struct SelectRows {
  const StepInput* input;
  std::uint32_t* rows;
  JENSEN_HD void operator()(std::int64_t i) const {
    const auto at = static_cast<std::uint32_t>(input->begin + i);
    rows[i] = input->picked ? input->shuffle(at) : at;
  }
};

}  // namespace jensen
