#include <cstdint>

#include "capi/callback.hpp"
#include "capi/handles.hpp"

using jensen::InputError;
using jensen::MemoryResource;
using jensen::capi::guarded;
using jensen::capi::Refusal;
using jensen::capi::require;

namespace {

class CallbackMemory : public MemoryResource {
 public:
  explicit CallbackMemory(const jensen_execution& given)
      : allocate_(given.allocate), release_(given.release), user_(given.user) {}

  void* allocate(std::size_t bytes, void* stream) override {
    const std::uint64_t before = jensen::capi::times_set();
    void* memory =
        jensen::capi::call_back("the caller's jensen_allocate", [&] { return allocate_(bytes, stream, user_); });
    if (memory != nullptr) return memory;
    throw Refusal(JENSEN_ERROR_MEMORY, "the caller's jensen_allocate has no " + std::to_string(bytes) +
                                           " bytes: " + jensen::capi::reason_since(before));
  }
  /// What it throws has no way out, and the memory is the caller's.
  void release(void* memory, std::size_t bytes, void* stream) noexcept override {
    try {
      release_(memory, bytes, stream, user_);
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
  }

 private:
  jensen_allocate allocate_;
  jensen_release release_;
  void* user_;
};

}  // namespace

jensen::capi::OwnedExecution jensen::capi::execution_of(const jensen_execution* execution) {
  OwnedExecution out;
  if (execution == nullptr) return out;
  if (execution->allocate != nullptr) {
    out.memory = std::make_unique<CallbackMemory>(*execution);
  }
  out.execution = {.stream = execution->stream, .device = execution->device, .memory = out.memory.get()};
  return out;
}

int jensen_execution_create(jensen_execution** execution) {
  return guarded([&] {
    require(execution, "execution");
    *execution = new jensen_execution{};
  });
}
void jensen_execution_free(jensen_execution* execution) { delete execution; }

int jensen_execution_set_device(jensen_execution* execution, int number) {
  return guarded([&] {
    require(execution, "execution");
    if (number < -1) {
      throw InputError("there is no GPU " + std::to_string(number) + "; give its number from 0, or -1 for the current");
    }
    execution->device = number;
  });
}

int jensen_execution_set_stream(jensen_execution* execution, void* stream) {
  return guarded([&] {
    require(execution, "execution");
    execution->stream = stream;
  });
}

int jensen_execution_set_memory(jensen_execution* execution, jensen_allocate allocate, jensen_release release,
                                void* user) {
  return guarded([&] {
    require(execution, "execution");
    if ((allocate == nullptr) != (release == nullptr)) {
      throw Refusal(JENSEN_ERROR_ARGUMENT, std::string(allocate == nullptr ? "allocate" : "release") +
                                               " is NULL and the other is not; give both, or NULL for both");
    }
    execution->allocate = allocate;
    execution->release = release;
    execution->user = user;
  });
}
