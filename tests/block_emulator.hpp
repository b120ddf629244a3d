#pragma once
/// \file A thread block of a GPU played on the host: each of its threads is a fiber.
///
/// Between two barriers fibers run in a random order, switched at barriers and at the products of their warp. What a
/// GPU leaves undefined is made visible: shared memory starts as NaN; asynchronous copies happen, by chance, as soon
/// as their thread asks for them or not before it waits for them, so that what is overwritten or read too early is
/// wrong.

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tf32.hpp"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define JENSEN_FIBERS_FOR_TSAN 1
#endif
#if __has_feature(address_sanitizer)
#define JENSEN_FIBERS_FOR_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define JENSEN_FIBERS_FOR_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define JENSEN_FIBERS_FOR_TSAN 1
#endif
#if defined(JENSEN_FIBERS_FOR_TSAN)
#include <sanitizer/tsan_interface.h>
#elif defined(JENSEN_FIBERS_FOR_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

namespace jensen::testing {

/// A stack and what runs on it; sanitizers are told of every switch.
class Fiber {
 public:
  Fiber() = default;  ///< the thread's own
  explicit Fiber(std::size_t bytes) : stack_(new char[bytes]), bytes_(bytes) {
#if defined(JENSEN_FIBERS_FOR_TSAN)
    sanitizer_ = __tsan_create_fiber(0);
#endif
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() {
#if defined(JENSEN_FIBERS_FOR_TSAN)
    if (stack_) __tsan_destroy_fiber(sanitizer_);
#endif
  }

  void start(void (*entry)()) {
#if defined(JENSEN_FIBERS_FOR_ASAN)
    fake_stack_ = nullptr;
    bottom_ = stack_.get();
    size_ = bytes_;
#endif
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = bytes_;
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
  }
  /// Leaves this fiber for another; returns when this one is switched to. `last`: it never is.
  void switch_to(Fiber& other, [[maybe_unused]] bool last = false) {
#if defined(JENSEN_FIBERS_FOR_TSAN)
    if (!stack_) sanitizer_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(other.sanitizer_, 0);
#elif defined(JENSEN_FIBERS_FOR_ASAN)
    __sanitizer_start_switch_fiber(last ? nullptr : &fake_stack_, other.bottom_, other.size_);
#endif
    swapcontext(&context_, &other.context_);
    entered();
  }
  /// To be called first on a fiber's stack.
  void entered([[maybe_unused]] Fiber* first_left = nullptr) {
#if defined(JENSEN_FIBERS_FOR_ASAN)
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &size);
    if (first_left != nullptr && first_left->size_ == 0) {  // the thread's own stack, left before any other
      first_left->bottom_ = bottom;
      first_left->size_ = size;
    }
#endif
  }

 private:
  ucontext_t context_{};
  std::unique_ptr<char[]> stack_;
  std::size_t bytes_ = 0;
#if defined(JENSEN_FIBERS_FOR_TSAN)
  void* sanitizer_ = nullptr;
#elif defined(JENSEN_FIBERS_FOR_ASAN)
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
#endif
};

class BlockEmulator {
 public:
  /// What a thread of the block sees: the Block of kernels/data_term_block.hpp.
  class Thread {
   public:
    Thread(BlockEmulator& block, int number) : block_(&block), number_(number), early_(block.random_() % 2 == 0) {}

    int thread() const { return number_; }
    char* shared() const { return block_->memory_.data(); }
    void sync() { block_->wait_at_barrier(number_); }

    template <int Bytes>
    void copy_async(void* to, const void* from, int bytes) {
      const auto divides = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % Bytes == 0; };
      if (!divides(to) || !divides(from)) block_->fail("an asynchronous copy is not aligned");
      if (bytes < 1 || bytes > Bytes) block_->fail("an asynchronous copy of a wrong size");
      char* begin = static_cast<char*>(to);
      if (begin < shared() || begin + Bytes > shared() + block_->memory_.size()) {
        block_->fail("an asynchronous copy goes beyond shared memory");
      }
      const Copy copy{begin, static_cast<const char*>(from), bytes, Bytes};
      if (early_) {
        copy.land();
      } else {
        copies_.push_back(copy);
      }
    }
    void commit() {
      groups_.push_back(std::move(copies_));
      copies_.clear();
      early_ = block_->random_() % 2 == 0;
    }
    template <int N>
    void wait() {
      for (; groups_.size() > N; groups_.pop_front()) {
        for (const Copy& copy : groups_.front()) copy.land();
      }
    }
    void multiply(float (&c)[4], const float (&a)[4], const float (&b)[2]) { block_->multiply(number_, c, a, b); }

   private:
    struct Copy {
      char* to;
      const char* from;
      int bytes, room;
      void land() const {
        std::memset(to, 0, static_cast<std::size_t>(room));
        std::memcpy(to, from, static_cast<std::size_t>(bytes));
      }
    };
    BlockEmulator* block_;
    int number_;
    bool early_;  ///< whether copies up to the next commit land at once
    std::vector<Copy> copies_;
    std::deque<std::vector<Copy>> groups_;
  };

  /// Threads: a multiple of 32. `seed`: of the order in which they run.
  BlockEmulator(int threads, std::uint32_t seed) : random_(seed), lanes_(static_cast<std::size_t>(threads)) {
    for (int i = 0; i < threads; ++i) fibers_.push_back(std::make_unique<Fiber>(stack_bytes));
  }

  /// Runs work(thread) on every thread of a block with `shared_bytes` of shared memory.
  void run(int shared_bytes, std::function<void(Thread&)> work) {
    work_ = std::move(work);
    // A GPU's shared memory begins at an address that 16 divides, as does what new gives; all bits set is a NaN.
    memory_.assign(static_cast<std::size_t>(shared_bytes), static_cast<char>(0xFF));
    ready_.clear();
    for (std::size_t i = 0; i < fibers_.size(); ++i) {
      fibers_[i]->start(&BlockEmulator::enter);
      ready_.push_back(static_cast<int>(i));
    }
    waiting_ = 0;
    running_ = static_cast<int>(fibers_.size());
    problem_.clear();
    for (Lane& lane : lanes_) lane.arrived = 0;
    current_block = this;
    current_ = -1;
    next(main_, false);
    if (!problem_.empty()) throw std::runtime_error(problem_);
  }

  std::int64_t products() const { return products_; }  ///< of warps, so far

 private:
  static constexpr std::size_t stack_bytes = 96 * 1024;
  struct Lane {  // what it brought to its warp's product
    float a[4], b[2], c[4];
    int arrived = 0;  // lanes of the warp that have; kept in the first
  };

  static void enter() {
    BlockEmulator& block = *current_block;
    Fiber& mine = *block.fibers_[static_cast<std::size_t>(block.current_)];
    mine.entered(&block.main_);
    {
      Thread thread(block, block.current_);
      block.work_(thread);
    }
    --block.running_;
    block.release_barrier();
    block.next(mine, true);
  }

  /// Switches to any thread that may run, or back to run() if none is left.
  void next(Fiber& from, bool last) {
    if (ready_.empty() || !problem_.empty()) {
      if (running_ > 0 && problem_.empty()) problem_ = "the block's threads wait for one another";
      from.switch_to(main_, last);
      return;
    }
    const std::size_t pick = random_() % ready_.size();
    const int thread = ready_[pick];
    ready_[pick] = ready_.back();
    ready_.pop_back();
    Fiber& to = *fibers_[static_cast<std::size_t>(thread)];
    current_ = thread;
    if (&to != &from) from.switch_to(to, last);
  }

  void wait_at_barrier(int thread) {
    at_barrier_.push_back(thread);
    ++waiting_;
    release_barrier();
    next(*fibers_[static_cast<std::size_t>(thread)], false);
  }
  void release_barrier() {
    if (waiting_ == 0 || waiting_ < running_) return;
    ready_.insert(ready_.end(), at_barrier_.begin(), at_barrier_.end());
    at_barrier_.clear();
    waiting_ = 0;
  }

  void multiply(int thread, float (&c)[4], const float (&a)[4], const float (&b)[2]) {
    Lane* warp = &lanes_[static_cast<std::size_t>(thread / 32 * 32)];
    Lane& mine = lanes_[static_cast<std::size_t>(thread)];
    std::copy(a, a + 4, mine.a);
    std::copy(b, b + 2, mine.b);
    std::copy(c, c + 4, mine.c);
    if (++warp->arrived < 32) {
      next(*fibers_[static_cast<std::size_t>(thread)], false);
    } else {
      warp->arrived = 0;
      multiply(warp);
      for (int i = thread / 32 * 32; i < thread / 32 * 32 + 32; ++i) {
        if (i != thread) ready_.push_back(i);
      }
    }
    std::copy(mine.c, mine.c + 4, c);
  }

  /// One m16n8k8 product. Products are exact and added with c in double, the sum truncated to float: no less exact is
  /// what tensor cores were seen to do (Ootomo & Yokota 2022, "Recovering single precision accuracy from Tensor
  /// Cores").
  void multiply(Lane* warp) {
    ++products_;
    double a[16][8], b[8][8];
    for (int lane = 0; lane < 32; ++lane) {
      const int g = lane / 4, t = lane % 4;
      for (int i = 0; i < 4; ++i) a[g + i % 2 * 8][t + i / 2 * 4] = operand(warp[lane].a[i]);
      for (int i = 0; i < 2; ++i) b[t + 4 * i][g] = operand(warp[lane].b[i]);
    }
    for (int lane = 0; lane < 32; ++lane) {
      const int g = lane / 4, t = lane % 4;
      for (int i = 0; i < 4; ++i) {
        const int row = g + i / 2 * 8, column = 2 * t + i % 2;
        double sum = static_cast<double>(warp[lane].c[i]);
        for (int k = 0; k < 8; ++k) sum += a[row][k] * b[k][column];
        auto result = static_cast<float>(sum);
        if (std::abs(static_cast<double>(result)) > std::abs(sum)) result = std::nextafter(result, 0.0F);
        warp[lane].c[i] = result;
      }
    }
  }
  /// The bits of an operand that tensor cores read.
  static double operand(float x) { return static_cast<double>(x == x ? tf32::truncated(x) : x); }

  void fail(const char* what) {
    if (problem_.empty()) problem_ = what;
  }

  static inline BlockEmulator* current_block = nullptr;
  std::mt19937 random_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  Fiber main_;
  std::function<void(Thread&)> work_;
  std::vector<char> memory_;
  std::vector<Lane> lanes_;
  std::vector<int> ready_, at_barrier_;
  int waiting_ = 0, running_ = 0, current_ = -1;
  std::int64_t products_ = 0;
  std::string problem_;
};

}  // namespace jensen::testing
