#pragma once
/// \file What the host-side trainer sees of the arithmetic: a model's terms and a guide on one device, stepped.
///
/// No CUDA header is reachable from here. Pointers in the terms given to make_*_engine are host memory; the engine
/// copies what it needs to its device and nothing else refers to them afterwards. Terms that are resident
/// (Term::resident) are not copied.

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "execution.hpp"
#include "group_block.hpp"
#include "head_map.hpp"
#include "log_joint.hpp"
#include "ordered.hpp"
#include "stage_clock.hpp"
#include "term.hpp"

namespace jensen {

enum class GuideShape { meanfield, fullrank };

struct EngineSpec {
  std::vector<Term> terms;
  /// In place of terms, which are then none: not copied, and to outlive the engine.
  LogJoint* target = nullptr;
  /// D, of a target's parameters; of terms with an affine map only increments are done here (ascending.hpp), since the
  /// densities are ones of u otherwise, and none at all means that there are none.
  std::vector<CoordinateTransform> transforms;
  /// The log joint is one of u = A w + b (affine.hpp): at first A = I and b = 0, see Engine::set_affine(). Always with
  /// a target; not with groups and thresholds.
  bool affine = false;
  int dimension = 0;       ///< H, latent coordinates of the head: all but the levels with a guide of their own
  std::int64_t rows = 0;   ///< N, of the subsampled terms; fewer than 2^32
  std::int64_t batch = 0;  ///< B <= N rows a step; N: no subsampling
  bool shuffled = false;   ///< the subsampled rows stand in random order as they are given; see fixed_batches()
  /// Groups (their `first` and `first_coupled` are set by the engine), those in the head first. With groups the rows
  /// are always taken to be shuffled.
  std::vector<GroupBlock> groups;
  bool dense_levels = true;           ///< a level's effects have a full covariance in the guide; else independent
  std::vector<OrderedBlock> ordered;  ///< thresholds
  std::vector<HeadMap> head_maps;     ///< of levels in the head
  int samples = 1;                    ///< S
  std::uint64_t seed = 1;
  GuideShape guide = GuideShape::fullrank;
  std::vector<float>
      basis;  ///< mean-field: w = m + basis (s . eps), D x D row-major, upper triangular; empty: the identity
  /// rho of the reference -rho/2 |w|^2 that the log joint is close to: 1 if w was whitened, 0 if nothing is known. Its
  /// expectation is taken in closed form, only the rest by sampling (guides/reference.hpp).
  float reference = 0;
  std::vector<float> lambda;              ///< where to start; see guides/*.hpp for the layout
  int threads = 0;                        ///< CPU only; 0: OpenMP's choice
  Storage storage = Storage::float32;     ///< of the dense parts of subsampled terms; on any device the same numbers
  Precision precision = Precision::fp32;  ///< GPU only: of the matrix products
  EngineExecution execution;
};

/// Sums over the steps since the last call of take_statistics().
struct StepStatistics {
  std::int64_t steps = 0;      ///< with at least one finite draw
  double elbo_sum = 0;         ///< of the steps' ELBO estimates
  double elbo_square_sum = 0;  ///< of their squares, about elbo_shift
  double elbo_shift = 0;       ///< the first of them
  double last_elbo = 0;        ///< the latest
  std::int64_t nonfinite = 0;  ///< draws whose log joint or gradient was not finite
};

/// Draws from q(z; lambda) with their densities.
struct Evaluation {
  std::vector<double> log_joint;      ///< equation (2) over all rows
  std::vector<double> noise_squared;  ///< |eps|^2 of head and levels, from which log q follows
  std::vector<float> noise;           ///< draws x F: eps of the head
};

/// What run to the next step depends on, besides the specification.
struct EngineState {
  std::vector<float> lambda, first_moment, second_moment;
  std::vector<double> average[2];
  std::int64_t averaged[2] = {};
  std::vector<float> anchor, anchor_levels, anchor_effect_sums;
  std::vector<double> anchor_joint;
  StepStatistics statistics;  ///< of the steps since they were taken last
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Enqueues step t (from 0) with Adam's step size; does not wait. Adds lambda after the step to running average
  /// `window` (0 or 1), or to none (-1).
  virtual void step(std::int64_t t, double learning_rate, int window) = 0;
  /// Waits, returns the sums and starts new ones.
  virtual StepStatistics take_statistics() = 0;
  /// Waits. The sums so far.
  virtual StepStatistics statistics() = 0;
  virtual void reset_averages() = 0;
  /// Waits. The mean of lambda over the window's steps.
  virtual std::vector<double> average(int window) = 0;
  virtual std::vector<float> lambda() = 0;
  /// Evaluates the log joint over all rows at `draws` draws of q(z; lambda). Waits.
  virtual Evaluation evaluate(std::span<const float> lambda, int draws) = 0;

  /// With EngineSpec::affine: from now on u = A w + b, A upper triangular (D x D, row-major), and mean-field's basis.
  virtual void set_affine(std::span<const double> matrix, std::span<const double> shift,
                          std::span<const float> basis) = 0;
  /// With EngineSpec::affine: the log joint over all rows at `points` (any number x D) u, and its gradient: a row of
  /// 1 + D each. Waits.
  virtual std::vector<double> joint_at(std::span<const double> points) = 0;

  virtual EngineState state() = 0;
  virtual void restore(const EngineState& state) = 0;

  /// One same-noise ELBO estimate and its gradient at `lambda`, for step t, without stepping. For tests. Waits.
  struct Estimate {
    double elbo = 0;
    std::vector<float> gradient;
    std::vector<float> noise;        ///< S x H
    std::vector<float> level_noise;  ///< coordinates of the groups' levels x S; not used of those in the head
  };
  virtual Estimate estimate(std::span<const float> lambda, std::int64_t t) = 0;

  // --- For measuring. All wait.

  /// What a pass leaves on the device: the samples' latents and the groups' effects, as the last estimate() drew them,
  /// and the sums of the first term at them. Valid until the next call.
  struct Pass {
    const float* z = nullptr;            ///< S x H
    Effects effects;                     ///< coordinates x stride
    const double* sums = nullptr;        ///< S x (1 + slots)
    const float* effect_sums = nullptr;  ///< coordinates x stride: derivatives by the effects
  };
  /// Value and gradient of the data terms over `rows` (none: all; with groups always all) at the latents of the last
  /// estimate().
  virtual Pass pass(RowList rows) = 0;
  /// Seconds that the device takes for `count` passes over all rows.
  virtual double time_passes(int count) = 0;
  /// From now on each stage of a step is timed (or no longer); what that costs is not small.
  virtual void time_stages(bool on) = 0;
  /// The stages' times since they were asked for last.
  virtual std::vector<StageTime> take_stages() = 0;
};

std::unique_ptr<Engine> make_cpu_engine(const EngineSpec& spec);
/// Throws DeviceFailure if there is no usable GPU, and from any later call when the GPU fails.
std::unique_ptr<Engine> make_cuda_engine(const EngineSpec& spec);

/// A CUDA call that failed; the trainer turns it into a DeviceError.
struct DeviceFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct CudaDevice {
  std::string name;
  int major = 0, minor = 0;
  std::size_t memory = 0;  ///< bytes
  bool current = false;    ///< of the calling thread
};
/// Empty, with the reason, if there is none (no toolkit in this build, no driver, no GPU).
std::vector<CudaDevice> cuda_devices(std::string& reason);
std::string cuda_build();    ///< "13.0, sm_80 sm_90 compute_90", or "none"
std::string thrust_build();  ///< version of the Thrust headers this was built with

}  // namespace jensen
