#include <cstring>

#include "capi/callback.hpp"
#include "capi/handles.hpp"

using jensen::Elbo;
using jensen::Observer;
using jensen::Progress;
using jensen::Trainer;
using jensen::capi::guarded;
using jensen::capi::guarded_text;
using jensen::capi::require;

namespace {

class CallbackObserver : public Observer {
 public:
  CallbackObserver(jensen_observer callback, void* user) : callback_(callback), user_(user) {}

  bool progress(const Progress& p) override {
    const jensen_progress told = {p.step, p.steps, p.elbo, p.elbo_se, p.rows_per_second, p.seconds_left};
    return jensen::capi::call_back("the observer", [&] { return callback_(&told, user_); }) == 0;
  }

 private:
  jensen_observer callback_;
  void* user_;
};

}  // namespace

int jensen_trainer_create(const char* formula, const jensen_table* table, const jensen_options* options,
                          const jensen_execution* execution, jensen_trainer** trainer) {
  return guarded([&] {
    require(formula, "formula");
    require(table, "table");
    require(trainer, "trainer");
    auto [memory, used] = jensen::capi::execution_of(execution);
    Trainer made(formula, table->table, jensen::capi::options_of(options), used);
    *trainer = new jensen_trainer{nullptr, std::move(memory), std::move(made)};
  });
}
void jensen_trainer_free(jensen_trainer* trainer) { delete trainer; }

const char* jensen_trainer_device(const jensen_trainer* trainer) {
  return guarded_text([&] {
    require(trainer, "trainer");
    return trainer->trainer.description().device.c_str();
  });
}

int jensen_trainer_rows(const jensen_trainer* trainer, int64_t* used, int64_t* dropped) {
  return guarded([&] {
    require(trainer, "trainer");
    if (used != nullptr) *used = trainer->trainer.description().rows;
    if (dropped != nullptr) *dropped = trainer->trainer.description().rows_dropped;
  });
}

int jensen_trainer_note_count(const jensen_trainer* trainer, size_t* count) {
  return guarded([&] {
    require(trainer, "trainer");
    require(count, "count");
    *count = trainer->trainer.description().notes.size();
  });
}

const char* jensen_trainer_note(const jensen_trainer* trainer, size_t index) {
  return guarded_text([&] {
    require(trainer, "trainer");
    const std::vector<std::string>& notes = trainer->trainer.description().notes;
    jensen::capi::require_index(index, notes.size(), "note");
    return notes[index].c_str();
  });
}

int jensen_trainer_step(jensen_trainer* trainer, int64_t count) {
  return guarded([&] {
    require(trainer, "trainer");
    if (count < 0)
      throw jensen::capi::Refusal(JENSEN_ERROR_ARGUMENT, "count is below 0; give the number of steps to take");
    for (std::int64_t i = 0; i < count; ++i) trainer->trainer.step();
  });
}

int jensen_trainer_steps(const jensen_trainer* trainer, int64_t* steps) {
  return guarded([&] {
    require(trainer, "trainer");
    require(steps, "steps");
    *steps = trainer->trainer.steps();
  });
}

int jensen_trainer_done(const jensen_trainer* trainer, int* done) {
  return guarded([&] {
    require(trainer, "trainer");
    require(done, "done");
    *done = trainer->trainer.done() ? 1 : 0;
  });
}

int jensen_trainer_elbo(jensen_trainer* trainer, double* elbo, double* standard_error) {
  return guarded([&] {
    require(trainer, "trainer");
    require(elbo, "elbo");
    const Elbo estimate = trainer->trainer.elbo();
    *elbo = estimate.mean;
    if (standard_error != nullptr) *standard_error = estimate.se;
  });
}

int jensen_trainer_state(jensen_trainer* trainer, void* buffer, size_t* size) {
  return guarded([&] {
    require(trainer, "trainer");
    require(size, "size");
    const std::vector<std::byte> state = trainer->trainer.state();
    jensen::capi::fill(buffer, size, state.size(), [&](void* out) { std::memcpy(out, state.data(), state.size()); });
  });
}

int jensen_trainer_restore(jensen_trainer* trainer, const void* state, size_t size) {
  return guarded([&] {
    require(trainer, "trainer");
    require(state, "state");
    trainer->trainer.restore({static_cast<const std::byte*>(state), size});
  });
}

int jensen_trainer_fit(jensen_trainer* trainer, jensen_fit** fit) {
  return guarded([&] {
    require(trainer, "trainer");
    require(fit, "fit");
    *fit = new jensen_fit(trainer->trainer.fit());
  });
}

int jensen_trainer_run(jensen_trainer* trainer, jensen_observer observer, void* user, jensen_fit** fit) {
  return guarded([&] {
    require(trainer, "trainer");
    require(fit, "fit");
    CallbackObserver calling(observer, user);
    *fit = new jensen_fit(trainer->trainer.run(observer != nullptr ? &calling : nullptr));
  });
}
