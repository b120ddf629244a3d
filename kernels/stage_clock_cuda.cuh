#pragma once
/// \file Time by stage on a GPU: an event before and after each stage's work in the stream, read when asked for.

#include <cstddef>
#include <utility>
#include <vector>

#include "cuda_check.cuh"
#include "stage_clock.hpp"

namespace jensen {

/// A stage within another is part of that one. Not for streams that are being captured.
class CudaStageClock {
 public:
  /// `stream` is read when a stage opens.
  explicit CudaStageClock(cudaStream_t& stream) : stream_(stream) {}
  ~CudaStageClock() {
    for (const Pair& pair : pairs_) {
      cudaEventDestroy(pair.begin);
      cudaEventDestroy(pair.end);
    }
  }
  CudaStageClock(const CudaStageClock&) = delete;
  CudaStageClock& operator=(const CudaStageClock&) = delete;

  class Scope {
   public:
    Scope(CudaStageClock& clock, const char* name) : clock_(clock.on ? &clock : nullptr) {
      if (clock_ != nullptr && clock_->depth_++ == 0) clock_->open(name);
    }
    ~Scope() {
      // Only asks for a record; an error shows at the next call that is checked.
      if (clock_ != nullptr && --clock_->depth_ == 0)
        cudaEventRecord(clock_->pairs_[clock_->used_ - 1].end, clock_->stream_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    CudaStageClock* clock_;
  };

  /// Waits for the stages so far.
  std::vector<StageTime> take() {
    collect();
    return std::exchange(stages_, {});
  }

  bool on = false;

 private:
  struct Pair {
    const char* name;
    cudaEvent_t begin, end;
  };

  void open(const char* name) {
    constexpr std::size_t most_pairs = 4096;
    if (used_ == most_pairs) collect();
    if (used_ == pairs_.size()) {
      Pair pair{};
      check(cudaEventCreate(&pair.begin), "cudaEventCreate");
      check(cudaEventCreate(&pair.end), "cudaEventCreate");
      pairs_.push_back(pair);
    }
    Pair& pair = pairs_[used_++];
    pair.name = name;
    check(cudaEventRecord(pair.begin, stream_), "cudaEventRecord");
  }
  void collect() {
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    for (std::size_t i = 0; i < used_; ++i) {
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, pairs_[i].begin, pairs_[i].end), "cudaEventElapsedTime");
      StageTime& stage = stage_of(stages_, pairs_[i].name);
      stage.seconds += 1e-3 * static_cast<double>(milliseconds);
      ++stage.calls;
    }
    used_ = 0;
  }

  cudaStream_t& stream_;
  int depth_ = 0;
  std::size_t used_ = 0;
  std::vector<Pair> pairs_;
  std::vector<StageTime> stages_;
};

}  // namespace jensen
