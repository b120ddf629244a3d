#include <algorithm>

#include "cuda_check.cuh"
#include "limits.hpp"

namespace jensen {
namespace {

constexpr int probe_threads = 256;

/// Reads every float4 once.
__global__ void __launch_bounds__(probe_threads) read_kernel(const float4* from, std::int64_t count, float* sink) {
  const auto stride = static_cast<std::int64_t>(gridDim.x) * probe_threads;
  float total = 0;
  std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * probe_threads + threadIdx.x;
  for (; i + 7 * stride < count; i += 8 * stride) {  // eight loads in flight
    float4 v[8];
#pragma unroll
    for (int k = 0; k < 8; ++k) v[k] = from[i + k * stride];
#pragma unroll
    for (int k = 0; k < 8; ++k) total += v[k].x + v[k].y + v[k].z + v[k].w;
  }
  for (; i < count; i += stride) total += from[i].x;
  if (total == -1.0F) *sink = total;  // never, which the compiler does not know
}

/// x <- x a + b in sixteen independent chains a thread.
__global__ void __launch_bounds__(probe_threads) multiply_add_kernel(float a, float b, int rounds, float* sink) {
  constexpr int chains = 16;
  float x[chains];
#pragma unroll
  for (int k = 0; k < chains; ++k) x[k] = static_cast<float>(threadIdx.x + k);
#pragma unroll 8  // or the loop's own instructions would take a share
  for (int r = 0; r < rounds; ++r) {
#pragma unroll
    for (int k = 0; k < chains; ++k) x[k] = fmaf(x[k], a, b);
  }
  float total = 0;
#pragma unroll
  for (int k = 0; k < chains; ++k) total += x[k];
  if (total == -1.0F) *sink = total;
}

/// D = A B + D of 16 x 8 x 8 TF32 tiles, eight independent accumulators a warp. This is the instruction that every
/// architecture from sm_80 on has (PTX ISA, mma.sync.m16n8k8); Hopper's warp-group products can be faster.
constexpr int accumulators = 8;
constexpr double matrix_operations = 2.0 * 16 * 8 * 8;
__global__ void __launch_bounds__(probe_threads) matrix_kernel(unsigned one, int rounds, float* sink) {
  float d[accumulators][4] = {};
  const unsigned a[4] = {one, one, one, one};
  const unsigned b[2] = {one, one};
#pragma unroll 4
  for (int r = 0; r < rounds; ++r) {
#pragma unroll
    for (int k = 0; k < accumulators; ++k) {
      asm volatile(
          "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(d[k][0]), "+f"(d[k][1]), "+f"(d[k][2]), "+f"(d[k][3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
  }
  float total = 0;
#pragma unroll
  for (int k = 0; k < accumulators; ++k) total += d[k][0] + d[k][1] + d[k][2] + d[k][3];
  if (total == -1.0F) *sink = total;
}

class CudaProbe final : public LimitProbe {
 public:
  CudaProbe() {
    check(cudaGetDeviceProperties(&device_, 0), "cudaGetDeviceProperties");
    bytes_ = std::max<std::size_t>(8 * static_cast<std::size_t>(device_.l2CacheSize), std::size_t{1} << 28U);
    try {
      check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
      check(cudaEventCreate(&begin_), "cudaEventCreate");
      check(cudaEventCreate(&end_), "cudaEventCreate");
      check(cudaMalloc(&from_, bytes_), "cudaMalloc");
      check(cudaMalloc(&to_, bytes_), "cudaMalloc");
      check(cudaMemsetAsync(from_, 0, bytes_, stream_), "cudaMemsetAsync");
      check(cudaMemsetAsync(to_, 0, bytes_, stream_), "cudaMemsetAsync");
      check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    } catch (...) {
      release();
      throw;
    }
  }
  ~CudaProbe() override { release(); }
  CudaProbe(const CudaProbe&) = delete;
  CudaProbe& operator=(const CudaProbe&) = delete;

  // A launch would take longer than the reading.
  double cached_read_bandwidth(std::size_t) override { return 0; }
  double read_bandwidth() override {
    const auto count = static_cast<std::int64_t>(bytes_ / sizeof(float4));
    const double seconds = seconds_of([&] {
      read_kernel<<<blocks(8), probe_threads, 0, stream_>>>(static_cast<const float4*>(from_), count,
                                                            static_cast<float*>(to_));
    });
    return static_cast<double>(bytes_) / seconds;
  }
  double copy_bandwidth() override {
    const double seconds = seconds_of(
        [&] { check(cudaMemcpyAsync(to_, from_, bytes_, cudaMemcpyDeviceToDevice, stream_), "cudaMemcpyAsync"); });
    return 2 * static_cast<double>(bytes_) / seconds;
  }
  double fp32_rate() override {
    constexpr int rounds = 4096;
    const double seconds = seconds_of([&] {
      multiply_add_kernel<<<blocks(8), probe_threads, 0, stream_>>>(0.999F, 0.001F, rounds, static_cast<float*>(to_));
    });
    return 2.0 * 16 * rounds * probe_threads * blocks(8) / seconds;
  }
  double matrix_rate() override {
    constexpr int rounds = 4096;
    constexpr unsigned one = 0x3F800000U;  // 1.0F
    const double seconds = seconds_of(
        [&] { matrix_kernel<<<blocks(4), probe_threads, 0, stream_>>>(one, rounds, static_cast<float*>(to_)); });
    return matrix_operations * accumulators * rounds * (probe_threads / 32) * blocks(4) / seconds;
  }
  std::string matrix_kind() const override { return "tf32"; }
  std::size_t cache_bytes() const override { return static_cast<std::size_t>(device_.l2CacheSize); }
  std::size_t free_memory() const override {
    std::size_t free = 0, all = 0;
    check(cudaMemGetInfo(&free, &all), "cudaMemGetInfo");
    return free;
  }

 private:
  unsigned blocks(int each) const { return static_cast<unsigned>(device_.multiProcessorCount * each); }

  template <class F>
  double seconds_of(F work) {
    check(cudaEventRecord(begin_, stream_), "cudaEventRecord");
    work();
    check(cudaGetLastError(), "limits");
    check(cudaEventRecord(end_, stream_), "cudaEventRecord");
    check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
    return 1e-3 * static_cast<double>(milliseconds);
  }
  void release() {
    cudaFree(from_);
    cudaFree(to_);
    if (begin_ != nullptr) cudaEventDestroy(begin_);
    if (end_ != nullptr) cudaEventDestroy(end_);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  CurrentDevice current_{0};  // first, since the rest is made on it
  cudaDeviceProp device_{};
  std::size_t bytes_ = 0;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  void* from_ = nullptr;
  void* to_ = nullptr;
};

}  // namespace

std::unique_ptr<LimitProbe> make_cuda_probe() {
  std::string reason;
  if (cuda_devices(reason).empty()) throw DeviceFailure(reason + " (device cuda); use --device cpu");
  return std::make_unique<CudaProbe>();
}

CudaVersions cuda_versions() {
  CudaVersions versions;
  cudaDriverGetVersion(&versions.driver);
  cudaRuntimeGetVersion(&versions.runtime);
  return versions;
}

}  // namespace jensen
