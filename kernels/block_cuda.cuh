#pragma once
/// \file A thread block of the device for DataTermBlock: asynchronous copies and tensor cores, in PTX of sm_80 and up.

#include <cstdint>

namespace jensen {

class CudaBlock {
 public:
  __device__ __forceinline__ explicit CudaBlock(char* memory) : memory_(memory) {}

  __device__ __forceinline__ int thread() const { return static_cast<int>(threadIdx.x); }
  __device__ __forceinline__ char* shared() const { return memory_; }
  __device__ __forceinline__ void sync() { __syncthreads(); }

  /// Copies `bytes` <= Bytes from global to shared memory and fills the rest of Bytes with zeros; Bytes divides both
  /// addresses.
  template <int Bytes>
  __device__ __forceinline__ void copy_async(void* to, const void* from, int bytes) {
    const auto shared = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
    const auto global = __cvta_generic_to_global(from);
    if constexpr (Bytes == 16) {
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared), "l"(global), "r"(bytes) : "memory");
    } else {
      asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared), "l"(global), "n"(Bytes), "r"(bytes)
                   : "memory");
    }
  }
  __device__ __forceinline__ void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
  /// Until all but the last N groups of copies that this thread committed are done.
  template <int N>
  __device__ __forceinline__ void wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
  }

  /// c += a b, 16 x 8 by 8 x 8, of a warp.
  __device__ __forceinline__ void multiply(float (&c)[4], const float (&a)[4], const float (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])),
          "r"(__float_as_uint(a[3])), "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
  }

 private:
  char* memory_;
};

}  // namespace jensen
