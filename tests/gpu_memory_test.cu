/// \file What a program on a GPU lends the library: columns that are there already, its stream, its memory, its
/// kernels. Labelled gpu; skipped, visibly, where there is none.

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "jensen/info.hpp"
#include "jensen/trainer.hpp"

namespace jensen {
namespace {

void check(cudaError_t status) { ASSERT_EQ(status, cudaSuccess) << cudaGetErrorString(status); }

class GpuMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = cuda_unavailable_reason();
    if (!reason.empty()) GTEST_SKIP() << "no GPU: " << reason;
  }
};

/// y ~ Normal(b . x, sigma) on 5,003 rows of 3 columns.
struct Regression {
  static constexpr std::size_t rows = 5003, columns = 3;
  std::vector<float> x, y;
  Regression() {
    for (std::size_t i = 0; i < rows; ++i) {
      const double a = std::sin(0.37 * static_cast<double>(i)), b = std::cos(1.7 * static_cast<double>(i));
      x.insert(x.end(), {1.0F, static_cast<float>(a), static_cast<float>(b)});
      y.push_back(static_cast<float>(0.5 + 1.5 * a - b + 0.3 * std::sin(12.9898 * static_cast<double>(i * i % 4999))));
    }
  }
  TermModel model(const float* on_gpu) const {
    TermModel model;
    const Block b = model.block("b", columns, Support::real, "normal(0, 3)");
    const Block sigma = model.block("sigma", 1, Support::positive, "exponential(1)");
    ModelTerm term;
    term.rows = rows;
    term.y = y;
    term.arguments.resize(2);
    term.arguments[0].dense = {
        {on_gpu != nullptr ? std::span<const float>(on_gpu, x.size()) : x, b, on_gpu != nullptr}};
    term.arguments[1].scalars = {{sigma}};
    model.add(term);
    model.rows_in_random_order();  // or the copied columns would be shuffled, and minibatches others
    return model;
  }
};

TrainOptions on_gpu(std::int64_t batch) {
  TrainOptions options;
  options.device = DeviceKind::cuda;
  options.steps = 200;
  options.batch = batch;
  return options;
}

TEST_F(GpuMemory, ColumnsThatAreThereGiveTheBitsOfThoseThatAreCopied) {
  const Regression data;
  float* x = nullptr;
  check(cudaMalloc(&x, data.x.size() * sizeof(float)));
  check(cudaMemcpy(x, data.x.data(), data.x.size() * sizeof(float), cudaMemcpyHostToDevice));
  check(cudaDeviceSynchronize());  // a copy from pageable memory may still be under way
  for (const std::int64_t batch : {0, 777}) {
    const Fit copied = train(data.model(nullptr), on_gpu(batch));
    const Fit there = train(data.model(x), on_gpu(batch));
    EXPECT_EQ(copied.mean, there.mean);
    EXPECT_EQ(copied.factor, there.factor);
    EXPECT_EQ(copied.elbo, there.elbo);
  }
  check(cudaFree(x));
}

/// Memory from cudaMallocAsync on the stream that it is asked for, counted.
class Counted : public MemoryResource {
 public:
  void* allocate(std::size_t bytes, void* stream) override {
    void* memory = nullptr;
    if (cudaMallocAsync(&memory, bytes, static_cast<cudaStream_t>(stream)) != cudaSuccess) return nullptr;
    held[memory] = bytes;
    streams[stream] += 1;
    return memory;
  }
  void release(void* memory, std::size_t bytes, void* stream) noexcept override {
    EXPECT_EQ(held.erase(memory), 1U);
    cudaFreeAsync(memory, static_cast<cudaStream_t>(stream));
    (void)bytes;
  }
  std::map<void*, std::size_t> held;
  std::map<void*, int> streams;
};

TEST_F(GpuMemory, AStreamAndMemoryOfTheCallersGiveTheSameBits) {
  const Regression data;
  const TermModel model = data.model(nullptr);
  const Fit own = Trainer(model, on_gpu(777)).run();
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  Counted memory;
  {
    Trainer trainer(model, on_gpu(777), {.stream = stream, .device = 0, .memory = &memory});
    EXPECT_FALSE(memory.held.empty());
    EXPECT_EQ(memory.streams.size(), 1U);
    EXPECT_EQ(memory.streams.begin()->first, stream);
    const Fit fit = trainer.run();
    EXPECT_EQ(fit.mean, own.mean);
    EXPECT_EQ(fit.factor, own.factor);
    EXPECT_EQ(fit.elbo, own.elbo);
  }
  EXPECT_TRUE(memory.held.empty());
  check(cudaStreamSynchronize(stream));
  check(cudaStreamDestroy(stream));
}

/// theta_0 real, theta_1 positive: rows c_r ~ Normal(theta_0, 1), theta_0 ~ Normal(0, 2), theta_1 ~ Exponential(1). One
/// thread a sample, so that the sum has an order.
__host__ __device__ void log_joint(const double* theta, const float* c, const std::uint32_t* rows, std::int64_t first,
                                   std::int64_t count, double scale, double* value, double* gradient) {
  double sum = 0, slope = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double away = static_cast<double>(c[rows == nullptr ? first + i : rows[i]]) - theta[0];
    sum -= 0.5 * away * away;
    slope += away;
  }
  *value = -theta[0] * theta[0] / 8 - theta[1] + scale * sum;
  gradient[0] = -theta[0] / 4 + scale * slope;
  gradient[1] = -1;
}
__global__ void log_joints(const double* theta, const float* c, const std::uint32_t* rows, std::int64_t first,
                           std::int64_t count, double scale, double* values, double* gradients) {
  const unsigned s = threadIdx.x;
  log_joint(theta + 2 * s, c, rows, first, count, scale, values + s, gradients + 2 * s);
}

class Normals : public Target {
 public:
  Normals(DeviceKind device, const float* c) : device_(device), c_(c) {}
  DeviceKind device() const override { return device_; }
  void evaluate(const double* theta, std::size_t samples, std::size_t, const Batch& batch, double* values,
                double* gradients) override {
    if (device_ == DeviceKind::cuda) {
      log_joints<<<1, static_cast<unsigned>(samples), 0, static_cast<cudaStream_t>(batch.stream)>>>(
          theta, c_, batch.rows, batch.first, batch.count, batch.scale, values, gradients);
      return;
    }
    for (std::size_t s = 0; s < samples; ++s) {
      log_joint(theta + 2 * s, c_, batch.rows, batch.first, batch.count, batch.scale, values + s, gradients + 2 * s);
    }
  }

 private:
  DeviceKind device_;
  const float* c_;
};

TEST_F(GpuMemory, ATargetOfKernelsIsTheOneOfTheCpu) {
  std::vector<float> c;
  for (int i = 0; i < 1000; ++i) c.push_back(static_cast<float>(1.5 + std::sin(0.91 * i)));
  float* there = nullptr;
  check(cudaMalloc(&there, c.size() * sizeof(float)));
  check(cudaMemcpy(there, c.data(), c.size() * sizeof(float), cudaMemcpyHostToDevice));
  check(cudaDeviceSynchronize());
  TargetModel model;
  model.parameters = {{"mu", Transform::identity}, {"rate", Transform::exponential}};
  model.rows = 1000;
  for (const std::int64_t batch : {0, 100}) {
    Normals cpu(DeviceKind::cpu, c.data()), gpu(DeviceKind::cuda, there);
    TrainOptions options = on_gpu(batch);
    const Fit b = train(gpu, model, options);
    const Fit again = train(gpu, model, options);
    EXPECT_EQ(b.mean, again.mean);
    EXPECT_EQ(b.factor, again.factor);
    options.device = DeviceKind::cpu;
    const Fit a = train(cpu, model, options);
    const auto want = a.summarize(), got = b.summarize();
    for (std::size_t i = 0; i < want.size(); ++i) {
      // The same noise and the same mathematics, rounded otherwise: Adam amplifies that by at most some hundredths.
      EXPECT_NEAR(got[i].mean, want[i].mean, 0.05 * want[i].sd) << want[i].name;
      EXPECT_NEAR(got[i].sd / want[i].sd, 1, 0.05) << want[i].name;
    }
  }
  check(cudaFree(there));
}

}  // namespace
}  // namespace jensen
