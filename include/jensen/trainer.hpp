#pragma once
/// \file Training step by step: for callers with a loop, a stop rule or a checkpoint of their own.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "jensen/execution.hpp"
#include "jensen/export.h"
#include "jensen/fit.hpp"
#include "jensen/options.hpp"
#include "jensen/table.hpp"
#include "jensen/target.hpp"
#include "jensen/terms.hpp"
#include "jensen/train.hpp"

namespace jensen {

/// A model at training. train() is `Trainer(...).run(observer)`.
///
/// One thread at a time may use a Trainer; different ones do not know of each other. Every call may throw DeviceError.
/// A call that throws leaves the Trainer fit for destruction and restore() alone, but for restore() itself when it
/// refuses a state: then nothing has changed. What an Observer or a Target throws goes through.
class JENSEN_API Trainer {
 public:
  /// Reads the table, finds the start, and puts what training needs on the device; the table is not used afterwards.
  /// Throws InputError (formula, columns, values, options) or DeviceError.
  Trainer(std::string_view formula, const Table& table, const TrainOptions& options = {},
          const Execution& execution = {});
  /// `target` must outlive the Trainer. Throws what train() of a target throws.
  Trainer(Target& target, const TargetModel& model, const TrainOptions& options = {}, const Execution& execution = {});
  /// Columns that are not copied (jensen/terms.hpp) must outlive the Trainer. Throws what train() of terms throws.
  explicit Trainer(const TermModel& model, const TrainOptions& options = {}, const Execution& execution = {});
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// Device, options with every default resolved, rows, parameters.
  const RunDescription& description() const;

  /// Takes a step. On a GPU it only enqueues one, but for every 50th, which waits to read the estimates. Beyond
  /// done() steps are taken all the same, without being averaged.
  void step();
  std::int64_t steps() const;  ///< taken
  /// Whether the stop rule has ended training: the average stands still, TrainOptions::steps are taken, or too many
  /// draws were not finite (Verdict::failed). A rule of one's own is to stop calling step().
  bool done() const;
  /// Of the steps since the last report (every 50 steps), or if there is none since, of those before it. Waits.
  Elbo elbo();
  /// What an Observer is told: of the latest report, whose step is `step`; before the first, step is 0. Does not wait.
  Progress progress() const;

  /// Everything that the run from here on depends on, besides what the Trainer was made from: versioned, checksummed,
  /// for restore() in this process or another of the same build. Waits.
  std::vector<std::byte> state();
  /// Goes on where state() was called, with the same bits as if training had never stopped; on another device kind
  /// with bits of that device. Throws InputError: `state` is damaged, or (OtherRunError) of another model, data,
  /// options or build; then nothing has changed.
  void restore(std::span<const std::byte> state);

  /// The posterior as it stands, its ELBO over all rows and its verdict; training may go on afterwards. Before done()
  /// it is the last state that was finite, after it the average of the last half of the run. Waits, and takes as long
  /// as some tens to thousands of samples of the log joint over all rows.
  Fit fit();
  /// Steps until done(), or until the observer stops it; then fit().
  Fit run(Observer* observer = nullptr);

 private:
  struct JENSEN_LOCAL Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether these are the bytes that a state() returned, none lost or changed; of which run they are, restore() tells.
JENSEN_API bool state_is_whole(std::span<const std::byte> state);

}  // namespace jensen
