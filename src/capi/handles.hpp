#pragma once
/// \file What is behind the handles of jensen.h, and the border that no exception crosses.

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "jensen/errors.hpp"
#include "jensen/execution.hpp"
#include "jensen/fit.hpp"
#include "jensen/jensen.h"
#include "jensen/options.hpp"
#include "jensen/table.hpp"
#include "jensen/target.hpp"
#include "jensen/trainer.hpp"

struct jensen_table {
  jensen::Table table;
};
struct jensen_options {
  jensen::TrainOptions options;
};
struct jensen_execution {
  int device = -1;
  void* stream = nullptr;
  jensen_allocate allocate = nullptr;  ///< null, and `release` as well: the library's own memory
  jensen_release release = nullptr;
  void* user = nullptr;
};
struct jensen_target {
  jensen_density density;
  void* user;
  bool has_gradient;
  jensen::DeviceKind device = jensen::DeviceKind::cpu;
  jensen::TargetModel model;
};
struct jensen_trainer {
  std::unique_ptr<jensen::Target> target;          ///< null: a formula's, or a model's
  std::unique_ptr<jensen::MemoryResource> memory;  ///< null: the library's own
  jensen::Trainer trainer;
};
struct jensen_fit {
  jensen::Fit fit;
  std::vector<jensen::ParameterSummary> summaries;
  std::optional<std::vector<jensen::ParameterSummary>> levels;  ///< none: not asked for yet

  explicit jensen_fit(jensen::Fit given) : fit(std::move(given)), summaries(fit.summarize()) {}
};

namespace jensen::capi {

/// Why a call of C's is refused: a status and its message.
class Refusal : public std::runtime_error {
 public:
  Refusal(int status, const std::string& message) : std::runtime_error(message), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

/// A callback of the caller's failed.
class CallbackError : public Error {
 public:
  using Error::Error;
};

/// Throws Refusal unless the argument `name` is given.
template <class Pointer>
void require(Pointer pointer, const char* name) {
  if (pointer == nullptr) {
    throw Refusal(JENSEN_ERROR_ARGUMENT, std::string(name) + " is NULL; see jensen.h for what the call needs");
  }
}

/// Throws Refusal unless `index` is below `count`. `what` it is the index of, and `where`: " (..)" or nothing.
inline void require_index(std::size_t index, std::size_t count, const std::string& what,
                          const std::string& where = {}) {
  if (index < count) return;
  throw Refusal(JENSEN_ERROR_ARGUMENT,
                "there is no " + what + " " + std::to_string(index) + where +
                    (count == 0 ? "; there are none" : "; the first of the " + std::to_string(count) + " is 0"));
}

/// Runs `work`; what it throws becomes a status and this thread's last error.
template <class Work>
int guarded(Work&& work) noexcept {
  const auto failed = [](int status, const char* message) {
    jensen_set_last_error(message);
    return status;
  };
  try {
    work();
    return JENSEN_OK;
  } catch (const Refusal& refusal) {
    return failed(refusal.status(), refusal.what());
  } catch (const CallbackError& error) {
    return failed(JENSEN_ERROR_CALLBACK, error.what());
  } catch (const InputError& error) {
    return failed(JENSEN_ERROR_INPUT, error.what());
  } catch (const FileError& error) {
    return failed(JENSEN_ERROR_FILE, error.what());
  } catch (const DeviceError& error) {
    return failed(JENSEN_ERROR_DEVICE, error.what());
  } catch (const std::bad_alloc&) {
    return failed(JENSEN_ERROR_MEMORY, "out of memory; free some, or use fewer samples or smaller tables");
  } catch (const std::exception& error) {
    return failed(JENSEN_ERROR_INTERNAL, error.what());
  } catch (...) {
    return failed(JENSEN_ERROR_INTERNAL, "an exception of an unknown type; please report it");
  }
}

/// The text that `work` returns; null, and this thread's last error, if it throws.
template <class Work>
const char* guarded_text(Work&& work) noexcept {
  const char* text = nullptr;
  return guarded([&] { text = work(); }) == JENSEN_OK ? text : nullptr;
}

/// The protocol of buffers: copies `needed` values made by `write` where there is room, and says how many there are.
template <class Value, class Write>
void fill(Value* buffer, std::size_t* size, std::size_t needed, Write&& write) {
  require(size, "size");
  const std::size_t room = *size;
  if (buffer != nullptr && room < needed) {
    *size = needed;
    throw Refusal(JENSEN_ERROR_BUFFER,
                  "the buffer holds " + std::to_string(room) + ", but " + std::to_string(needed) + " are needed");
  }
  if (buffer != nullptr) write(buffer);
  *size = needed;
}

inline TrainOptions options_of(const jensen_options* options) {
  return options != nullptr ? options->options : TrainOptions{};
}

/// An Execution, and the memory that it refers to and that must outlive the Trainer; null: the library's own.
struct OwnedExecution {
  std::unique_ptr<MemoryResource> memory;
  Execution execution;
};
OwnedExecution execution_of(const jensen_execution* execution);

}  // namespace jensen::capi
