#include "cli/bench_json.hpp"

#include <fmt/format.h>

#include <ctime>
#include <initializer_list>
#include <utility>

#include "cli/text.hpp"

namespace jensen::cli {
namespace {

/// The inside of an object: "key": value, ...
class Members {
 public:
  Members& number(std::string_view key, double value) { return put(key, json_number(value)); }
  Members& count(std::string_view key, std::int64_t value) { return put(key, std::to_string(value)); }
  Members& text(std::string_view key, std::string_view value) { return put(key, json_string(value)); }
  Members& flag(std::string_view key, bool value) { return put(key, value ? "true" : "false"); }
  Members& put(std::string_view key, const std::string& json) {
    text_ += fmt::format("{}{}: {}", text_.empty() ? "" : ", ", json_string(key), json);
    return *this;
  }
  Members& time(const BenchTime& t) {
    return number("median_s", t.median).number("q25_s", t.low).number("q75_s", t.high).count("repeats", t.repeats);
  }
  std::string object() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

template <class Things, class F>
std::string list(const Things& things, const std::string& indent, F f) {
  std::string out = "[";
  for (const auto& thing : things) out += (out.size() > 1 ? ",\n" : "\n") + indent + f(thing);
  return out + "]";
}

std::string pass_json(const BenchPass& p) {
  Members m;
  m.count("samples", p.samples).time(p.time);
  m.number("rows_per_s", p.rows_per_second).number("row_samples_per_s", p.row_samples_per_second);
  m.number("bytes", p.bytes).number("operations", p.operations);
  m.number("bytes_per_s", p.bytes_per_second).number("operations_per_s", p.operations_per_second);
  m.number("limit_bytes_per_s", p.bandwidth).number("limit_operations_per_s", p.rate).flag("in_cache", p.in_cache);
  m.text("limit", to_string(p.limit)).number("floor_s", p.floor).number("fraction", p.fraction);
  m.number("error", p.error).number("tolerance", p.tolerance);
  m.count("checked_rows", p.checked_rows).count("checked_samples", p.checked_samples);
  m.count("checked_spread_rows", p.checked_spread_rows).count("checked_spread_samples", p.checked_spread_samples);
  return m.object();
}

std::string steps_json(const BenchSteps& s) {
  Members stages;
  for (const BenchStage& stage : s.stages) {
    stages.put(stage.name, Members().number("seconds", stage.seconds).number("calls", stage.calls).object());
  }
  Members m;
  m.count("samples", s.samples).count("batch", s.batch).time(s.time);
  m.number("steps_per_s", s.steps_per_second).number("row_samples_per_s", s.row_samples_per_second);
  m.count("nonfinite", s.nonfinite).number("staged_s", s.staged_seconds).put("stages", stages.object());
  return m.object();
}

std::string case_json(const BenchCaseResult& c) {
  Members m;
  m.text("case", c.problem.name).text("family", to_string(c.problem.family));
  m.count("rows", c.problem.rows).count("rows_wanted", c.rows_wanted).count("columns", c.problem.columns);
  m.count("levels", c.problem.levels).count("parameters", c.parameters).text("guide", c.guide);
  m.put("refused", c.refused.empty() ? "null" : json_string(c.refused));
  m.put("passes", list(c.passes, "      ", pass_json)).put("steps", list(c.steps, "      ", steps_json));
  return m.object();
}

std::string date() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

}  // namespace

std::string bench_json(const BenchResult& r) {
  Members limits;
  limits.number("read_bytes_per_s", r.limits.read_bandwidth).number("copy_bytes_per_s", r.limits.copy_bandwidth);
  limits.number("fp32_operations_per_s", r.limits.fp32_rate);
  limits.number("matrix_operations_per_s", r.limits.matrix_rate).text("matrix_kind", r.limits.matrix_kind);
  limits.count("cache_bytes", static_cast<std::int64_t>(r.limits.cache_bytes));
  Members head;
  head.text("benchmark", "jensen bench").text("date", date());
  head.text("device", r.device == DeviceKind::cuda ? "cuda" : "cpu").text("device_name", r.device_name);
  head.count("threads", r.threads).count("processors", r.processors).text("isa", r.isa);
  head.count("cuda_driver", r.cuda_driver).count("cuda_runtime", r.cuda_runtime);
  head.text("version", r.build.version).text("commit", r.build.commit).text("compiler", r.build.compiler);
  head.text("cuda", r.build.cuda).text("thrust", r.build.thrust);
  head.text("suite", r.suite).put("seed", std::to_string(r.seed));
  head.put("limits", limits.object()).put("cases", list(r.cases, "    ", case_json));
  return head.object() + "\n";
}

}  // namespace jensen::cli
