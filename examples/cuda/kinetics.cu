// A log joint of CUDA kernels of one's own: an enzyme's kinetics, from measurements that stay on the GPU.
//
// 40,000 simulated assays of how fast an enzyme works, at many concentrations s of what it works on and temperatures T.
// Too much of it slows the enzyme (Haldane 1930, "Enzymes"), warmth speeds it up (Arrhenius):
//
//     log rate ~ normal(log v, sigma),   v = vmax exp(ea w) s / (km + s + s^2 / ki),   w = (1 / 298 K - 1 / T) / R
//
// Where there is a GPU, and Jensen was built for one, the target is one of the GPU; else it is one of the CPU: the
// mathematics is the same __host__ __device__ code. Prints the posterior beside what the assays were simulated from,
// and fails where they are too far apart, or where GPU and CPU are.

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <jensen/jensen.hpp>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

// --- The mathematics of one assay and of the prior.

constexpr int parameters = 5;
constexpr const char* names[parameters] = {"vmax", "km", "ki", "ea", "sigma"};  // umol/s, mmol/L twice, kJ/mol, 1
constexpr double log_root = -0.9189385332046727;                                // log(1 / sqrt(2 pi))

// Of log densities: the value and its derivatives. Not zero by default, which shared memory cannot be.
struct Sums {
  double value;
  double gradient[parameters];

  __host__ __device__ void operator+=(const Sums& other) {
    value += other.value;
    for (int p = 0; p < parameters; ++p) gradient[p] += other.gradient[p];
  }
};

// Columns of the assays, in the memory of whoever sums over them.
struct Assays {
  const float* substrate;  // s, mmol/L
  const float* warmth;     // w, mol/kJ
  const float* log_rate;
};

class Kinetics {
 public:
  __host__ __device__ explicit Kinetics(const double* theta)
      : vmax_(theta[0]),
        km_(theta[1]),
        ki_(theta[2]),
        ea_(theta[3]),
        sigma_(theta[4]),
        log_vmax_(log(vmax_)),
        log_scale_(log_root - log(sigma_)) {}

  __host__ __device__ void add(const Assays& assays, std::int64_t row, Sums& sums) const {
    const double s = assays.substrate[row], w = assays.warmth[row];
    const double slowing = s * s / ki_;
    const double held = km_ + s + slowing;
    const double r = (assays.log_rate[row] - (log_vmax_ + ea_ * w + log(s / held))) / sigma_;
    const double by_log_v = r / sigma_;
    sums.value += log_scale_ - 0.5 * r * r;
    sums.gradient[0] += by_log_v / vmax_;
    sums.gradient[1] -= by_log_v / held;
    sums.gradient[2] += by_log_v * slowing / (ki_ * held);
    sums.gradient[3] += by_log_v * w;
    sums.gradient[4] += (r * r - 1) / sigma_;
  }

 private:
  double vmax_, km_, ki_, ea_, sigma_, log_vmax_, log_scale_;
};

// Every parameter is about a guess, within a factor of e: log theta ~ normal(log guess, 1).
__host__ __device__ Sums log_prior(const double* theta) {
  constexpr double guess[parameters] = {100, 1, 10, 50, 0.2};
  Sums sums{};
  for (int p = 0; p < parameters; ++p) {
    const double z = log(theta[p] / guess[p]);
    sums.value += log_root - log(theta[p]) - 0.5 * z * z;
    sums.gradient[p] -= (1 + z) / theta[p];
  }
  return sums;
}

__host__ __device__ void write(const Sums& prior, const Sums& rows, double scale, double* log_density,
                               double* gradient) {
  *log_density = prior.value + scale * rows.value;
  for (int p = 0; p < parameters; ++p) gradient[p] = prior.gradient[p] + scale * rows.gradient[p];
}

// --- The kernels. Sums have an order that depends on nothing but the number of rows, so that runs repeat bit for bit.

constexpr int threads = 256;
constexpr int most_parts = threads;  // of the rows, each summed by one block; then one block sums the parts

// The sum over the block's threads, in the first of them.
__device__ Sums sum_of_block(const Sums& mine) {
  __shared__ Sums sums[threads];
  sums[threadIdx.x] = mine;
  __syncthreads();
  for (unsigned half = threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  return sums[0];
}

// Grid: parts of the batch x samples. rows null: first, first + 1, ...
__global__ void sum_parts(Assays assays, const double* theta, const std::uint32_t* rows, std::int64_t first,
                          std::int64_t count, Sums* parts) {
  const Kinetics kinetics(theta + blockIdx.y * parameters);
  Sums mine{};
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < count; i += stride) {
    kinetics.add(assays, rows == nullptr ? first + i : rows[i], mine);
  }
  const Sums sum = sum_of_block(mine);
  if (threadIdx.x == 0) parts[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

// Grid: samples.
__global__ void sum_samples(const Sums* parts, int count, const double* theta, double scale, double* log_density,
                            double* gradient) {
  const unsigned s = blockIdx.x;
  const Sums rows = sum_of_block(threadIdx.x < count ? parts[s * count + threadIdx.x] : Sums{});
  if (threadIdx.x != 0) return;
  write(log_prior(theta + s * parameters), rows, scale, log_density + s, gradient + s * parameters);
}

// --- Memory of the GPU.

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(std::string(cudaGetErrorString(status)) + " (" + call + "); see whether others use the GPU");
}

struct CudaFree {
  void operator()(void* memory) const { cudaFree(memory); }
};
template <class T>
using DeviceArray = std::unique_ptr<T[], CudaFree>;

template <class T>
DeviceArray<T> device_array(std::size_t count) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, count * sizeof(T)), "cudaMalloc");
  return DeviceArray<T>(static_cast<T*>(memory));
}
DeviceArray<float> on_device(const std::vector<float>& values) {
  DeviceArray<float> copy = device_array<float>(values.size());
  check(cudaMemcpy(copy.get(), values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice), "cudaMemcpy");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");  // a copy from pageable memory may still be under way
  return copy;
}

// --- The target.

struct Measurements {
  std::vector<float> substrate, warmth, log_rate;
};

class KineticsTarget final : public jensen::Target {
 public:
  // The measurements must outlive a target on the CPU.
  KineticsTarget(const Measurements& m, jensen::DeviceKind device) : device_(device) {
    if (device == jensen::DeviceKind::cuda) {
      substrate_ = on_device(m.substrate);
      warmth_ = on_device(m.warmth);
      log_rate_ = on_device(m.log_rate);
      assays_ = {substrate_.get(), warmth_.get(), log_rate_.get()};
    } else {
      assays_ = {m.substrate.data(), m.warmth.data(), m.log_rate.data()};
    }
  }

  jensen::DeviceKind device() const override { return device_; }

  void evaluate(const double* theta, std::size_t samples, std::size_t dimension, const jensen::Batch& batch,
                double* log_density, double* gradient) override {
    if (device_ == jensen::DeviceKind::cuda) return enqueue(theta, samples, batch, log_density, gradient);
    for (std::size_t s = 0; s < samples; ++s) {
      const double* at = theta + s * dimension;
      const Kinetics kinetics(at);
      Sums rows{};
      for (std::int64_t i = 0; i < batch.count; ++i) kinetics.add(assays_, batch[i], rows);
      write(log_prior(at), rows, batch.scale, log_density + s, gradient + s * dimension);
    }
  }

 private:
  void enqueue(const double* theta, std::size_t samples, const jensen::Batch& batch, double* log_density,
               double* gradient) {
    const auto stream = static_cast<cudaStream_t>(batch.stream);
    const auto blocks = static_cast<unsigned>(samples);
    const int parts = static_cast<int>(std::min<std::int64_t>((batch.count + threads - 1) / threads, most_parts));
    if (samples > room_) {  // in the first calls; cudaFree waits for what still uses the old memory
      parts_ = device_array<Sums>(samples * most_parts);
      room_ = samples;
    }
    sum_parts<<<dim3(parts, blocks), threads, 0, stream>>>(assays_, theta, batch.rows, batch.first, batch.count,
                                                           parts_.get());
    sum_samples<<<blocks, threads, 0, stream>>>(parts_.get(), parts, theta, batch.scale, log_density, gradient);
    check(cudaGetLastError(), "launch");
  }

  jensen::DeviceKind device_;
  DeviceArray<float> substrate_, warmth_, log_rate_;
  Assays assays_{};
  DeviceArray<Sums> parts_;  // samples x parts
  std::size_t room_ = 0;     // samples
};

// --- The experiment.

constexpr int assay_count = 40'000;
constexpr double truth[parameters] = {120, 0.8, 12, 48, 0.15};

Measurements simulate() {
  constexpr double gas = 8.314e-3;  // kJ/(mol K)
  std::mt19937 generator(1);
  std::normal_distribution<double> normal;
  Measurements m;
  for (int i = 0; i < assay_count; ++i) {
    const double s = 0.05 * std::pow(1000.0, (i % 24) / 23.0);  // 0.05 to 50 mmol/L
    const double kelvin = 288 + 6 * (i / 24 % 6);
    const double w = (1 / 298.0 - 1 / kelvin) / gas;
    const double log_v = std::log(truth[0]) + truth[3] * w + std::log(s / (truth[1] + s + s * s / truth[2]));
    m.substrate.push_back(static_cast<float>(s));
    m.warmth.push_back(static_cast<float>(w));
    m.log_rate.push_back(static_cast<float>(log_v + truth[4] * normal(generator)));
  }
  return m;
}

jensen::Fit fitted(const Measurements& measurements, jensen::DeviceKind device) {
  jensen::TargetModel model;
  for (const char* name : names) model.parameters.push_back({name, jensen::Transform::exponential});
  model.start = {100, 1, 10, 50, 0.2};
  model.rows = assay_count;
  KineticsTarget target(measurements, device);
  jensen::TrainOptions options;
  options.batch = 4'096;
  return jensen::train(target, model, options);
}

}  // namespace

int main() try {
  const Measurements measurements = simulate();
  const bool gpu = jensen::devices().size() > 1;  // of this library: none if it was built without CUDA
  const jensen::Fit fit = fitted(measurements, gpu ? jensen::DeviceKind::cuda : jensen::DeviceKind::cpu);
  std::printf("on the %s\n%-6s %9s %10s %9s %8s\n", gpu ? "GPU" : "CPU", "", "truth", "mean", "sd", "apart");
  const auto summary = fit.summarize();
  bool good = true;
  for (int p = 0; p < parameters; ++p) {
    const double apart = (summary[p].mean - truth[p]) / summary[p].sd;
    std::printf("%-6s %9.3f %10.4f %9.5f %5.1f sd\n", names[p], truth[p], summary[p].mean, summary[p].sd, apart);
    good = good && std::abs(apart) < 4;
  }
  // With so many rows the posterior of a normal's sd is known, whatever the means are.
  const double known = summary[4].mean / std::sqrt(2.0 * assay_count);
  std::printf("sd of sigma %.6f, by theory %.6f\n", summary[4].sd, known);
  good = good && std::abs(summary[4].sd / known - 1) < 0.05;
  std::printf("ELBO %.2f +- %.2f; %s\n", fit.elbo, fit.elbo_se, fit.verdict.message.c_str());
  if (gpu) {
    const auto on_cpu = fitted(measurements, jensen::DeviceKind::cpu).summarize();
    double most = 0;
    for (int p = 0; p < parameters; ++p) {
      most = std::max(most, std::abs(summary[p].mean - on_cpu[p].mean) / on_cpu[p].sd);
      most = std::max(most, std::abs(summary[p].sd / on_cpu[p].sd - 1));
    }
    std::printf("GPU and CPU are apart by %.3f sd at most\n", most);
    good = good && most < 0.1;
  }
  return good ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "kinetics: %s\n", error.what());
  return 1;
}
