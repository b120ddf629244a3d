#include <algorithm>
#include <limits>

#include "capi/handles.hpp"
#include "nearest_names.hpp"

using jensen::InputError;
using jensen::ParameterSummary;
using jensen::Verdict;
using jensen::capi::guarded;
using jensen::capi::guarded_text;
using jensen::capi::require;

namespace {

using Summaries = std::vector<ParameterSummary>;

void write(const Summaries& from, jensen_summary* out) {
  for (const ParameterSummary& p : from) *out++ = {p.mean, p.sd, p.q05, p.q50, p.q95};
}

const char* name_at(const Summaries& summaries, std::size_t index) {
  jensen::capi::require_index(index, summaries.size(), "name");
  return summaries[index].name.c_str();
}

const Summaries& levels_of(jensen_fit& fit) {
  if (!fit.levels) fit.levels = fit.fit.summarize_levels();
  return *fit.levels;
}

}  // namespace

void jensen_fit_free(jensen_fit* fit) { delete fit; }

int jensen_fit_parameter_count(const jensen_fit* fit, size_t* count) {
  return guarded([&] {
    require(fit, "fit");
    require(count, "count");
    *count = fit->summaries.size();
  });
}

const char* jensen_fit_parameter_name(const jensen_fit* fit, size_t index) {
  return guarded_text([&] {
    require(fit, "fit");
    return name_at(fit->summaries, index);
  });
}

int jensen_fit_parameter_index(const jensen_fit* fit, const char* name, size_t* index) {
  return guarded([&] {
    require(fit, "fit");
    require(name, "name");
    require(index, "index");
    const Summaries& all = fit->summaries;
    const auto place = std::ranges::find(all, name, &ParameterSummary::name);
    if (place == all.end()) {
      std::vector<std::string> names;
      for (const ParameterSummary& p : all) names.push_back(p.name);
      throw InputError("the fit has no parameter '" + std::string(name) + "'; " +
                       jensen::suggest_names(name, names, "parameters"));
    }
    *index = static_cast<std::size_t>(place - all.begin());
  });
}

int jensen_fit_summary(const jensen_fit* fit, jensen_summary* summaries, size_t* size) {
  return guarded([&] {
    require(fit, "fit");
    jensen::capi::fill(summaries, size, fit->summaries.size(),
                       [&](jensen_summary* out) { write(fit->summaries, out); });
  });
}

int jensen_fit_level_count(jensen_fit* fit, size_t* count) {
  return guarded([&] {
    require(fit, "fit");
    require(count, "count");
    *count = levels_of(*fit).size();
  });
}

const char* jensen_fit_level_name(jensen_fit* fit, size_t index) {
  return guarded_text([&] {
    require(fit, "fit");
    return name_at(levels_of(*fit), index);
  });
}

int jensen_fit_level_summary(jensen_fit* fit, jensen_summary* summaries, size_t* size) {
  return guarded([&] {
    require(fit, "fit");
    const Summaries& levels = levels_of(*fit);
    jensen::capi::fill(summaries, size, levels.size(), [&](jensen_summary* out) { write(levels, out); });
  });
}

int jensen_fit_draws(const jensen_fit* fit, size_t count, uint64_t seed, double* buffer, size_t* size) {
  return guarded([&] {
    require(fit, "fit");
    const std::size_t width = fit->summaries.size();
    if (width > 0 && count > std::numeric_limits<std::size_t>::max() / sizeof(double) / width) {
      throw jensen::capi::Refusal(JENSEN_ERROR_ARGUMENT,
                                  std::to_string(count) + " draws are more than memory can hold; ask for fewer");
    }
    jensen::capi::fill(buffer, size, count * width,
                       [&](double* out) { std::ranges::copy(fit->fit.draw(count, seed), out); });
  });
}

int jensen_fit_elbo(const jensen_fit* fit, double* elbo, double* standard_error) {
  return guarded([&] {
    require(fit, "fit");
    require(elbo, "elbo");
    *elbo = fit->fit.elbo;
    if (standard_error != nullptr) *standard_error = fit->fit.elbo_se;
  });
}

int jensen_fit_verdict(const jensen_fit* fit, jensen_verdict* verdict) {
  return guarded([&] {
    require(fit, "fit");
    require(verdict, "verdict");
    const Verdict& v = fit->fit.verdict;
    *verdict = {.converged = v.converged,
                .close = v.close,
                .failed = v.failed,
                .drift = v.drift,
                .log_ratio_sd = v.log_ratio_sd,
                .khat = v.khat,
                .sd_ratio = v.sd_ratio,
                .nonfinite = v.nonfinite,
                .steps = fit->fit.steps};
  });
}

const char* jensen_fit_narrowest(const jensen_fit* fit) {
  return guarded_text([&] {
    require(fit, "fit");
    return fit->fit.verdict.narrowest.c_str();
  });
}

const char* jensen_fit_message(const jensen_fit* fit) {
  return guarded_text([&] {
    require(fit, "fit");
    return fit->fit.verdict.message.c_str();
  });
}

int jensen_fit_note_count(const jensen_fit* fit, size_t* count) {
  return guarded([&] {
    require(fit, "fit");
    require(count, "count");
    *count = fit->fit.notes.size();
  });
}

const char* jensen_fit_note(const jensen_fit* fit, size_t index) {
  return guarded_text([&] {
    require(fit, "fit");
    jensen::capi::require_index(index, fit->fit.notes.size(), "note");
    return fit->fit.notes[index].c_str();
  });
}
