#pragma once
/// \file Time by stage, where somebody asked for it: a backend's stages have names, and a clock may listen.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jensen {

struct StageTime {
  std::string name;
  std::int64_t calls = 0;
  double seconds = 0;
};

/// The stage's entry, made where there is none yet. Stages are few: a search from the front.
inline StageTime& stage_of(std::vector<StageTime>& stages, std::string_view name) {
  for (StageTime& stage : stages) {
    if (stage.name == name) return stage;
  }
  stages.push_back({std::string(name), 0, 0});
  return stages.back();
}

/// Of work that is done when the call returns. A stage within another is part of that one.
class StageClock {
 public:
  class Scope {
   public:
    Scope(StageClock& clock, const char* name) : clock_(clock.on ? &clock : nullptr), name_(name) {
      if (clock_ != nullptr && clock_->depth_++ == 0) begin_ = Time::now();
    }
    ~Scope() {
      if (clock_ == nullptr || --clock_->depth_ > 0) return;
      StageTime& stage = stage_of(clock_->stages_, name_);
      stage.seconds += std::chrono::duration<double>(Time::now() - begin_).count();
      ++stage.calls;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    using Time = std::chrono::steady_clock;
    StageClock* clock_;
    const char* name_;
    Time::time_point begin_;
  };

  std::vector<StageTime> take() { return std::exchange(stages_, {}); }

  bool on = false;

 private:
  int depth_ = 0;
  std::vector<StageTime> stages_;
};

}  // namespace jensen
