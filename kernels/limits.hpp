#pragma once
/// \file What a device can do at most, measured: bytes and operations a second.
///
/// No CUDA header is reachable from here.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace jensen {

/// Reads after which a cache has what it will keep. Seen of a shared 480 MB cache: one is not enough.
inline constexpr int cache_warm_ups = 4;

/// Each call measures once, for some milliseconds, and waits.
class LimitProbe {
 public:
  virtual ~LimitProbe() = default;
  /// Bytes a second, of an array far larger than the caches: read once; and read and written elsewhere (both counted).
  virtual double read_bandwidth() = 0;
  /// Bytes a second, of an array of `bytes` (at least a megabyte) that is read again and again, from whatever cache
  /// keeps it; 0: not known for this device.
  virtual double cached_read_bandwidth(std::size_t bytes) = 0;
  virtual double copy_bandwidth() = 0;
  /// Single-precision operations a second (a multiply-add is two) of independent chains in registers.
  virtual double fp32_rate() = 0;
  /// Operations a second of the fastest matrix product that keeps single precision's range: tensor cores on TF32; on
  /// the CPU, which has none that Jensen uses, fp32_rate().
  virtual double matrix_rate() = 0;
  virtual std::string matrix_kind() const = 0;  ///< "tf32" or "fp32"
  virtual std::size_t cache_bytes() const = 0;  ///< of the last level that one core, or the GPU, has
  virtual std::size_t free_memory() const = 0;  ///< bytes of the device; 0: not known here (the host's)
};

/// threads = 0: as many as OpenMP gives. cache_bytes: what the caller knows of the last level.
std::unique_ptr<LimitProbe> make_cpu_probe(int threads, std::size_t cache_bytes);
/// Throws DeviceFailure if there is no usable GPU.
std::unique_ptr<LimitProbe> make_cuda_probe();

/// Versions as CUDA numbers them, 13000 for 13.0; 0: none.
struct CudaVersions {
  int driver = 0, runtime = 0;
};
CudaVersions cuda_versions();

}  // namespace jensen
