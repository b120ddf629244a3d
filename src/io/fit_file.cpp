#include "io/fit_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "io/fit_sizes.hpp"
#include "io/hdf5.hpp"
#include "jensen/errors.hpp"
#include "jensen/info.hpp"
#include "posterior/fit_shape.hpp"

namespace jensen::io {
namespace {

constexpr std::int64_t format_number = 6;
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

template <class Enum>
struct Name {
  std::string_view text;
  Enum value;
};
constexpr Name<Transform> transforms[] = {{"identity", Transform::identity},
                                          {"exponential", Transform::exponential},
                                          {"logistic", Transform::logistic},
                                          {"increment", Transform::increment},
                                          {"correlation", Transform::correlation}};
constexpr Name<ParameterClass> classes[] = {
    {"population", ParameterClass::population}, {"group", ParameterClass::group}, {"family", ParameterClass::family}};

template <class Enum, std::size_t N>
std::string name_in(const Name<Enum> (&table)[N], Enum value) {
  for (const auto& [text, entry] : table) {
    if (entry == value) return std::string(text);
  }
  throw Hdf5Error(fmt::format("a value {} has no name", static_cast<int>(value)));
}
template <class Enum, std::size_t N>
Enum value_in(const Name<Enum> (&table)[N], std::string_view name) {
  for (const auto& [text, value] : table) {
    if (text == name) return value;
  }
  throw Hdf5Error(fmt::format("'{}' is no {}", name, N == std::size(classes) ? "class of parameters" : "transform"));
}

std::string_view to_string(MissingPolicy policy) { return policy == MissingPolicy::error ? "error" : "drop"; }

MissingPolicy parse_missing(std::string_view name) {
  if (name == "drop") return MissingPolicy::drop;
  if (name == "error") return MissingPolicy::error;
  throw Hdf5Error(fmt::format("there is no policy '{}' for missing values", name));
}

// The structured bindings below name every member, so that a member added to a struct and forgotten here does not
// compile.

/// Groups NAME/0, 1, ... of `root`, one an item.
template <class Item, class Write>
void write_list(Hdf5Group& root, const std::string& name, const std::vector<Item>& items, Write write) {
  Hdf5Group list = root.create_group(name);
  list.set("count", static_cast<std::int64_t>(items.size()));
  for (std::size_t i = 0; i < items.size(); ++i) {
    Hdf5Group group = list.create_group(std::to_string(i));
    write(group, items[i]);
  }
}
template <class Item, class Read>
void read_list(const Hdf5Group& root, const std::string& name, std::vector<Item>& items, Read read) {
  const Hdf5Group list = root.open_group(name);
  std::int64_t count = 0;
  list.get("count", count);
  for (std::int64_t i = 0; i < count; ++i) read(list.open_group(std::to_string(i)), items.emplace_back());
}

void write_design(Hdf5Group& root, const DesignState& design) {
  const auto& [factors, learned, groups] = design;
  Hdf5Group out = root.create_group("design");
  write_list(out, "factors", factors, [](Hdf5Group& group, const FactorLevels& factor) {
    const auto& [column, levels, text] = factor;
    group.set("column", std::string_view(column));
    group.write("levels", levels);
    group.set("text", text);
  });
  write_list(out, "learned", learned, [](Hdf5Group& group, const LearnedColumns& constants) {
    const auto& [expression, values] = constants;
    group.set("expression", std::string_view(expression));
    group.write("values", values);
  });
  write_list(out, "groups", groups, [](Hdf5Group& group, const GroupLevels& grouping) {
    const auto& [name, levels, text_columns] = grouping;
    group.set("group", std::string_view(name));
    group.write("levels", levels);
    group.write("text_columns", text_columns);
  });
}

DesignState read_design(const Hdf5Group& root) {
  const Hdf5Group in = root.open_group("design");
  DesignState design;
  read_list(in, "factors", design.factors, [](const Hdf5Group& group, FactorLevels& factor) {
    group.get("column", factor.column);
    group.read("levels", factor.levels);
    group.get("text", factor.text);
  });
  read_list(in, "learned", design.learned, [](const Hdf5Group& group, LearnedColumns& constants) {
    group.get("expression", constants.expression);
    group.read("values", constants.values);
  });
  read_list(in, "groups", design.groups, [](const Hdf5Group& group, GroupLevels& grouping) {
    group.get("group", grouping.group);
    group.read("levels", grouping.levels);
    group.read("text_columns", grouping.text_columns);
  });
  return design;
}

void write_options(Hdf5Group& root, const TrainOptions& options) {
  const auto& [family, link, formulas, priors, guide, parametrization, device, missing, storage, precision, seed,
               threads, samples, batch, steps, learning_rate] = options;
  Hdf5Group group = root.create_group("options");
  group.set("family", jensen::to_string(family));
  group.set("link", link ? jensen::to_string(*link) : std::string_view());
  write_list(group, "formulas", formulas, [](Hdf5Group& out, const ParameterFormula& formula) {
    const auto& [parameter, text] = formula;
    out.set("parameter", std::string_view(parameter));
    out.set("formula", std::string_view(text));
  });
  group.set("guide", jensen::to_string(guide));
  group.set("parametrization", jensen::to_string(parametrization));
  group.set("device", jensen::to_string(device));
  group.set("missing", to_string(missing));
  group.set("storage", jensen::to_string(storage));
  group.set("precision", jensen::to_string(precision));
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
  if (const std::string link = get_text(group, "link"); !link.empty()) options.link = parse_link(link);
  read_list(group, "formulas", options.formulas, [](const Hdf5Group& in, ParameterFormula& formula) {
    in.get("parameter", formula.parameter);
    in.get("formula", formula.formula);
  });
  options.guide = parse_guide(get_text(group, "guide"));
  options.parametrization = parse_parametrization(get_text(group, "parametrization"));
  options.device = parse_device(get_text(group, "device"));
  options.missing = parse_missing(get_text(group, "missing"));
  options.storage = parse_storage(get_text(group, "storage"));
  options.precision = parse_precision(get_text(group, "precision"));
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
  const auto& [converged, drift, log_ratio_sd, khat, close, sd_ratio, narrowest, nonfinite, failed, message] = verdict;
  Hdf5Group group = root.create_group("verdict");
  group.set("converged", converged);
  group.set("drift", drift);
  group.set("log_ratio_sd", log_ratio_sd);
  group.set("khat", khat);
  group.set("close", close);
  group.set("sd_ratio", sd_ratio);
  group.set("narrowest", std::string_view(narrowest));
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
  group.get("sd_ratio", verdict.sd_ratio);
  group.get("narrowest", verdict.narrowest);
  group.get("nonfinite", verdict.nonfinite);
  group.get("failed", verdict.failed);
  group.get("message", verdict.message);
  return verdict;
}

void write_groups(Hdf5Group& root, const std::vector<GroupPosterior>& groups) {
  write_list(root, "groups", groups, [](Hdf5Group& out, const GroupPosterior& posterior) {
    const auto& [group, parameter, effects, levels, first_sd, first_correlation, first_coefficient, coefficients,
                 origin, coupled, information, location, skew, answer, answer_origin, coupling, followed_begin,
                 followed, followed_slope, information_by, information_slope, information_origin, centered, reference,
                 first, scale] = posterior;
    const std::size_t q = effects.size();
    const std::size_t packed = q * (q + 1) / 2;
    const auto set_place = [&](const std::string& name, std::size_t value) {
      out.set(name, static_cast<std::uint64_t>(value));
    };
    out.set("group", std::string_view(group));
    out.set("parameter", std::string_view(parameter));
    out.write("effects", effects);
    set_place("levels", levels);
    set_place("first_sd", first_sd);
    set_place("first_correlation", first_correlation);
    set_place("first_coefficient", first_coefficient);
    set_place("coefficients", coefficients);
    out.write("origin", origin);
    out.write("coupled", std::vector<std::int64_t>(coupled.begin(), coupled.end()));
    out.write_matrix("information", information, packed);
    out.write_matrix("location", location, q);
    out.write_matrix("skew", skew, q);
    out.write_matrix("answer", answer, 2);
    out.set("answer_origin", answer_origin);
    out.write_matrix("coupling", coupling, coupling.empty() ? 1 : coupling.size() / levels);
    out.write("followed_begin", followed_begin);
    out.write("followed", std::vector<std::int64_t>(followed.begin(), followed.end()));
    out.write_matrix("followed_slope", followed_slope, 1);
    out.write("information_by", std::vector<std::int64_t>(information_by.begin(), information_by.end()));
    out.write("information_slope", information_slope);
    out.write("information_origin", information_origin);
    out.set("centered", centered);
    out.write("reference", reference);
    set_place("first", first);
    out.write_matrix("scale", scale, packed);
  });
}

void read_groups(const Hdf5Group& root, std::vector<GroupPosterior>& groups) {
  read_list(root, "groups", groups, [](const Hdf5Group& in, GroupPosterior& posterior) {
    const auto get_place = [&](const std::string& name, std::size_t& value) {
      std::uint64_t number = 0;
      in.get(name, number);
      value = static_cast<std::size_t>(number);
    };
    in.get("group", posterior.group);
    in.get("parameter", posterior.parameter);
    in.read("effects", posterior.effects);
    get_place("levels", posterior.levels);
    get_place("first_sd", posterior.first_sd);
    get_place("first_correlation", posterior.first_correlation);
    get_place("first_coefficient", posterior.first_coefficient);
    get_place("coefficients", posterior.coefficients);
    in.read("origin", posterior.origin);
    std::vector<std::int64_t> coupled;
    in.read("coupled", coupled);
    posterior.coupled.assign(coupled.begin(), coupled.end());
    in.read_matrix("information", posterior.information);
    in.read_matrix("location", posterior.location);
    in.read_matrix("skew", posterior.skew);
    in.read_matrix("answer", posterior.answer);
    in.get("answer_origin", posterior.answer_origin);
    in.read_matrix("coupling", posterior.coupling);
    in.read("followed_begin", posterior.followed_begin);
    std::vector<std::int64_t> followed;
    in.read("followed", followed);
    posterior.followed.assign(followed.begin(), followed.end());
    in.read_matrix("followed_slope", posterior.followed_slope);
    std::vector<std::int64_t> information_by;
    in.read("information_by", information_by);
    posterior.information_by.assign(information_by.begin(), information_by.end());
    in.read("information_slope", posterior.information_slope);
    in.read("information_origin", posterior.information_origin);
    in.get("centered", posterior.centered);
    in.read("reference", posterior.reference);
    get_place("first", posterior.first);
    in.read_matrix("scale", posterior.scale);
  });
}

void write_posterior(Hdf5Group& root, const Fit& fit) {
  std::vector<std::string> names, transform_names, class_names;
  for (const auto& [name, transform, kind] : fit.parameters) {
    names.push_back(name);
    transform_names.push_back(name_in(transforms, transform));
    class_names.push_back(name_in(classes, kind));
  }
  root.write("names", names);
  root.write("transforms", transform_names);
  root.write("classes", class_names);
  root.write("mean", fit.mean);
  root.write_square("factor", fit.factor, factor_columns(fit));
  write_groups(root, fit.groups);
}

void read_posterior(const Hdf5Group& root, Fit& fit) {
  std::vector<std::string> names, transform_names, class_names;
  root.read("names", names);
  root.read("transforms", transform_names);
  root.read("classes", class_names);
  root.read("mean", fit.mean);
  const std::size_t size = names.size();
  if (transform_names.size() != size || class_names.size() != size) {
    throw Hdf5Error(fmt::format("there are {} names, {} transforms and {} classes", size, transform_names.size(),
                                class_names.size()));
  }
  for (std::size_t i = 0; i < size; ++i) {
    fit.parameters.push_back({names[i], value_in(transforms, transform_names[i]), value_in(classes, class_names[i])});
  }
  read_groups(root, fit.groups);
  root.read_square("factor", fit.factor, factor_columns(fit));
  if (const std::string problem = fit_problem(fit); !problem.empty()) throw Hdf5Error(problem);
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
  root.write("response_levels", fit.response_levels);
  write_posterior(root, fit);
  write_design(root, fit.design);
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
  root.read("response_levels", fit.response_levels);
  read_posterior(root, fit);
  fit.design = read_design(root);
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
  if (const std::string problem = fit_problem(fit); !problem.empty()) {
    throw InputError(fmt::format("{} (fit); give one whose sizes agree", problem));
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
