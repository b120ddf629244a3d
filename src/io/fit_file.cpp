#include "io/fit_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "io/hdf5.hpp"
#include "jensen/errors.hpp"
#include "jensen/info.hpp"

namespace jensen::io {
namespace {

constexpr std::int64_t format_number = 1;
constexpr std::string_view seal_start = "jensen fit ";
constexpr std::size_t seal_size = 64;

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// The last line of the file.
std::string seal(std::string_view bytes, std::int64_t format) {
  const std::string text = fmt::format("{}{} bytes {} crc32 {:08x}", seal_start, format, bytes.size(), checksum(bytes));
  return fmt::format("{:<{}}\n", text, seal_size - 1);
}

std::string_view to_string(Transform transform) {
  return transform == Transform::exponential ? "exponential" : "identity";
}

Transform parse_transform(std::string_view name) {
  if (name == "identity") return Transform::identity;
  if (name == "exponential") return Transform::exponential;
  throw Hdf5Error(fmt::format("there is no transform '{}'", name));
}

std::string_view to_string(MissingPolicy policy) { return policy == MissingPolicy::error ? "error" : "drop"; }

MissingPolicy parse_missing(std::string_view name) {
  if (name == "drop") return MissingPolicy::drop;
  if (name == "error") return MissingPolicy::error;
  throw Hdf5Error(fmt::format("there is no policy '{}' for missing values", name));
}

// The structured bindings below name every member, so that a member added to a struct and forgotten here does not
// compile.

void write_factors(Hdf5Group& root, const std::vector<FactorLevels>& factors) {
  Hdf5Group group = root.create_group("factors");
  group.set("count", static_cast<std::int64_t>(factors.size()));
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const auto& [column, levels, text] = factors[i];
    Hdf5Group factor = group.create_group(std::to_string(i));
    factor.set("column", std::string_view(column));
    factor.write("levels", levels);
    factor.set("text", text);
  }
}

std::vector<FactorLevels> read_factors(const Hdf5Group& root) {
  const Hdf5Group group = root.open_group("factors");
  std::int64_t count = 0;
  group.get("count", count);
  std::vector<FactorLevels> factors;
  for (std::int64_t i = 0; i < count; ++i) {
    const Hdf5Group factor = group.open_group(std::to_string(i));
    FactorLevels& levels = factors.emplace_back();
    factor.get("column", levels.column);
    factor.read("levels", levels.levels);
    factor.get("text", levels.text);
  }
  return factors;
}

void write_options(Hdf5Group& root, const TrainOptions& options) {
  const auto& [family, priors, guide, device, missing, seed, threads, samples, batch, steps, learning_rate] = options;
  Hdf5Group group = root.create_group("options");
  group.set("family", jensen::to_string(family));
  group.set("guide", jensen::to_string(guide));
  group.set("device", jensen::to_string(device));
  group.set("missing", to_string(missing));
  group.set("seed", seed);
  group.set("threads", std::int64_t{threads});
  group.set("samples", std::int64_t{samples});
  group.set("batch", batch);
  group.set("steps", steps);
  group.set("learning_rate", learning_rate);
  std::vector<std::string> texts;
  for (const Prior& prior : priors) texts.push_back(jensen::to_string(prior));
  group.write("priors", texts);
}

int get_int(const Hdf5Group& group, const std::string& name) {
  std::int64_t value = 0;
  group.get(name, value);
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    throw Hdf5Error(fmt::format("'{}' is {}", name, value));
  }
  return static_cast<int>(value);
}

std::string get_text(const Hdf5Group& group, const std::string& name) {
  std::string value;
  group.get(name, value);
  return value;
}

TrainOptions read_options(const Hdf5Group& root) {
  const Hdf5Group group = root.open_group("options");
  TrainOptions options;
  options.family = parse_family(get_text(group, "family"));
  options.guide = parse_guide(get_text(group, "guide"));
  options.device = parse_device(get_text(group, "device"));
  options.missing = parse_missing(get_text(group, "missing"));
  group.get("seed", options.seed);
  options.threads = get_int(group, "threads");
  options.samples = get_int(group, "samples");
  group.get("batch", options.batch);
  group.get("steps", options.steps);
  group.get("learning_rate", options.learning_rate);
  std::vector<std::string> priors;
  group.read("priors", priors);
  for (const std::string& prior : priors) options.priors.push_back(parse_prior(prior));
  return options;
}

template <class T, class Member>
std::vector<T> member_of(const std::vector<TraceRow>& rows, Member member) {
  std::vector<T> values;
  for (const TraceRow& row : rows) values.push_back(row.*member);
  return values;
}

void write_trace(Hdf5Group& root, const std::vector<TraceRow>& trace) {
  Hdf5Group group = root.create_group("trace");
  group.write("step", member_of<std::int64_t>(trace, &TraceRow::step));
  group.write("elbo", member_of<double>(trace, &TraceRow::elbo));
  group.write("elbo_se", member_of<double>(trace, &TraceRow::elbo_se));
  group.write("learning_rate", member_of<double>(trace, &TraceRow::learning_rate));
  group.write("nonfinite", member_of<std::int64_t>(trace, &TraceRow::nonfinite));
}

std::vector<TraceRow> read_trace(const Hdf5Group& root) {
  const Hdf5Group group = root.open_group("trace");
  std::vector<TraceRow> trace;
  const auto read_member = [&](const std::string& name, auto member) {
    std::vector<std::remove_reference_t<decltype(TraceRow{}.*member)>> values;
    group.read(name, values);
    if (name == "step") trace.resize(values.size());
    if (values.size() != trace.size()) throw Hdf5Error(fmt::format("trace/{} has another length than step", name));
    for (std::size_t i = 0; i < values.size(); ++i) trace[i].*member = values[i];
  };
  read_member("step", &TraceRow::step);
  read_member("elbo", &TraceRow::elbo);
  read_member("elbo_se", &TraceRow::elbo_se);
  read_member("learning_rate", &TraceRow::learning_rate);
  read_member("nonfinite", &TraceRow::nonfinite);
  return trace;
}

void write_verdict(Hdf5Group& root, const Verdict& verdict) {
  const auto& [converged, drift, log_ratio_sd, khat, close, nonfinite, failed, message] = verdict;
  Hdf5Group group = root.create_group("verdict");
  group.set("converged", converged);
  group.set("drift", drift);
  group.set("log_ratio_sd", log_ratio_sd);
  group.set("khat", khat);
  group.set("close", close);
  group.set("nonfinite", nonfinite);
  group.set("failed", failed);
  group.set("message", std::string_view(message));
}

Verdict read_verdict(const Hdf5Group& root) {
  const Hdf5Group group = root.open_group("verdict");
  Verdict verdict;
  group.get("converged", verdict.converged);
  group.get("drift", verdict.drift);
  group.get("log_ratio_sd", verdict.log_ratio_sd);
  group.get("khat", verdict.khat);
  group.get("close", verdict.close);
  group.get("nonfinite", verdict.nonfinite);
  group.get("failed", verdict.failed);
  group.get("message", verdict.message);
  return verdict;
}

void write_posterior(Hdf5Group& root, const Fit& fit) {
  std::vector<std::string> names, transforms;
  for (const Parameter& parameter : fit.parameters) {
    names.push_back(parameter.name);
    transforms.emplace_back(to_string(parameter.transform));
  }
  root.write("names", names);
  root.write("transforms", transforms);
  root.write("mean", fit.mean);
  root.write_square("factor", fit.factor, fit.mean.size());
}

void read_posterior(const Hdf5Group& root, Fit& fit) {
  std::vector<std::string> names, transforms;
  root.read("names", names);
  root.read("transforms", transforms);
  root.read("mean", fit.mean);
  const std::size_t size = names.size();
  if (size == 0 || transforms.size() != size || fit.mean.size() != size) {
    throw Hdf5Error(
        fmt::format("there are {} names, {} transforms and {} means", size, transforms.size(), fit.mean.size()));
  }
  root.read_square("factor", fit.factor, size);
  for (std::size_t i = 0; i < size; ++i) fit.parameters.push_back({names[i], parse_transform(transforms[i])});
}

void write_fit(Hdf5Group& root, const Fit& fit) {
  root.set("format", format_number);
  root.set("version", std::string_view(build_info().version));
  root.set("formula", std::string_view(fit.formula));
  root.set("elbo", fit.elbo);
  root.set("elbo_se", fit.elbo_se);
  root.set("rows", fit.rows);
  root.set("rows_dropped", fit.rows_dropped);
  root.set("steps", fit.steps);
  root.write("notes", fit.notes);
  write_posterior(root, fit);
  write_factors(root, fit.factors);
  write_options(root, fit.options);
  write_trace(root, fit.trace);
  write_verdict(root, fit.verdict);
}

Fit read_fit(const Hdf5Group& root) {
  Fit fit;
  root.get("formula", fit.formula);
  root.get("elbo", fit.elbo);
  root.get("elbo_se", fit.elbo_se);
  root.get("rows", fit.rows);
  root.get("rows_dropped", fit.rows_dropped);
  root.get("steps", fit.steps);
  root.read("notes", fit.notes);
  read_posterior(root, fit);
  fit.factors = read_factors(root);
  fit.options = read_options(root);
  fit.trace = read_trace(root);
  fit.verdict = read_verdict(root);
  return fit;
}

/// Takes the last line off; throws FileError unless it says that all before it is whole.
std::string_view unseal(std::string_view bytes, const std::string& shown) {
  const std::string_view line = bytes.substr(bytes.size() - std::min(bytes.size(), seal_size));
  const std::string_view content = bytes.substr(0, bytes.size() - line.size());
  std::int64_t format = 0;
  const bool sealed =
      line.size() == seal_size && line.starts_with(seal_start) &&
      std::from_chars(line.data() + seal_start.size(), line.data() + line.size(), format).ec == std::errc{};
  if (!sealed) {
    throw FileError(fmt::format("{} is not a fit of Jensen's, or is cut short; give another, or train again", shown));
  }
  if (line != seal(content, format)) {
    throw FileError(fmt::format("{} is damaged (its checksum does not agree); copy it again, or train again", shown));
  }
  if (format != format_number) {
    throw FileError(fmt::format("{} is in format {}, this Jensen reads format {}; use the Jensen that wrote it", shown,
                                format, format_number));
  }
  return content;
}

}  // namespace

std::string encode_fit(const Fit& fit) {
  const std::size_t size = fit.parameters.size();
  if (size == 0 || fit.mean.size() != size || fit.factor.size() != size * size) {
    throw InputError(fmt::format("a fit of {} parameters has {} means and a factor of {} numbers; give D and D x D",
                                 size, fit.mean.size(), fit.factor.size()));
  }
  try {
    std::string bytes = write_hdf5([&](Hdf5Group& root) { write_fit(root, fit); });
    return bytes + seal(bytes, format_number);
  } catch (const Hdf5Error& error) {
    throw FileError(fmt::format("cannot make fit.h5 ({}); report this as a fault of Jensen's", error.what()));
  }
}

Fit decode_fit(std::string_view bytes, const std::string& shown) {
  const std::string_view content = unseal(bytes, shown);
  std::string problem;
  try {
    Fit fit;
    read_hdf5(content, [&](const Hdf5Group& root) { fit = read_fit(root); });
    return fit;
  } catch (const Hdf5Error& error) {
    problem = error.what();
  } catch (const InputError& error) {
    problem = error.what();
    problem.erase(std::min(problem.size(), problem.find('\n')));  // what follows points into the text of a prior
  }
  throw FileError(fmt::format("{} is not a complete fit ({}); train again", shown, problem));
}

}  // namespace jensen::io
