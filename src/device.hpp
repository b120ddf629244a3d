#pragma once
/// \file The device that a run asks for.

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "engine.hpp"
#include "jensen/execution.hpp"
#include "jensen/options.hpp"

namespace jensen {

/// An engine on the device asked for, with how the device is called.
struct Chosen {
  std::unique_ptr<Engine> engine;
  std::string device;
};
/// Adds to `notes` why no GPU is used where one would have been. Throws DeviceError or DeviceFailure, or
/// InputError: a density has no code for the device.
Chosen make_engine_for(DeviceKind device, const EngineSpec& spec, std::vector<std::string>& notes);

/// What a MemoryResource threw, on its way through the engine: nothing there takes it for a failure of its own.
struct ThrownByCaller {
  std::exception_ptr what;
};

/// The same as the engine takes it; refers to `execution.memory`, what that throws being ThrownByCaller. Throws
/// InputError: a device below -1.
EngineExecution engine_execution(const Execution& execution);

/// OpenMP's thread count of this thread, set for a scope; 0: left as it is.
class ThreadCount {
 public:
  explicit ThreadCount(int threads);
  ~ThreadCount();
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

}  // namespace jensen
