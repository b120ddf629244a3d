#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "jensen/catalogue.hpp"
#include "jensen/errors.hpp"
#include "jensen/options.hpp"
#include "nearest_names.hpp"
#include "show.hpp"

namespace jensen {
namespace {

/// The number that `text` is, all of it.
template <class Number>
bool read_number(std::string_view text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && last == end;
}

[[noreturn]] void refuse(std::string_view name, std::string_view text, std::string_view advice) {
  throw InputError(fmt::format("{0} cannot be {1} (--{0}); {2}", name, show(text), advice));
}

template <class Whole>
Whole whole_number(std::string_view name, std::string_view text, Whole low, Whole high, std::string_view hint) {
  Whole value = 0;
  if (!read_number(text, value) || value < low || value > high) {
    refuse(name, text, fmt::format("give a whole number from {} to {}; {}", low, high, hint));
  }
  return value;
}

double positive_number(std::string_view name, std::string_view text, std::string_view hint) {
  double value = 0;
  if (!read_number(text, value) || !std::isfinite(value) || value <= 0) {
    refuse(name, text, fmt::format("give a finite number above 0; {}", hint));
  }
  return value;
}

MissingPolicy parse_missing(std::string_view text) {
  if (text == "drop") return MissingPolicy::drop;
  if (text == "error") return MissingPolicy::error;
  refuse("na", text, "give drop or error");
}

/// The formula of another parameter than the mean; the later one of two holds.
void set_formula(TrainOptions& o, std::string_view parameter, std::string_view text) {
  std::erase_if(o.formulas, [&](const ParameterFormula& f) { return f.parameter == parameter; });
  o.formulas.push_back({std::string(parameter), std::string(text)});
}

struct Option {
  std::string_view name;
  void (*set)(TrainOptions& o, std::string_view name, std::string_view text);
};
using Text = std::string_view;
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

constexpr std::array<Option, 16> all_options{{
    {"family", [](TrainOptions& o, Text, Text text) { o.family = parse_family(text); }},
    {"link", [](TrainOptions& o, Text, Text text) { o.link = parse_link(text); }},
    {"prior", [](TrainOptions& o, Text, Text text) { o.priors.push_back(parse_prior(text)); }},
    {"guide", [](TrainOptions& o, Text, Text text) { o.guide = parse_guide(text); }},
    {"parametrization", [](TrainOptions& o, Text, Text text) { o.parametrization = parse_parametrization(text); }},
    {"device", [](TrainOptions& o, Text, Text text) { o.device = parse_device(text); }},
    {"na", [](TrainOptions& o, Text, Text text) { o.missing = parse_missing(text); }},
    {"storage", [](TrainOptions& o, Text, Text text) { o.storage = parse_storage(text); }},
    {"precision", [](TrainOptions& o, Text, Text text) { o.precision = parse_precision(text); }},
    {"seed",
     [](TrainOptions& o, Text name, Text text) {
       o.seed =
           whole_number<std::uint64_t>(name, text, 0, std::numeric_limits<std::uint64_t>::max(), "leave it out for 1");
     }},
    {"threads",
     [](TrainOptions& o, Text name, Text text) { o.threads = whole_number(name, text, 0, 4096, "0 takes all CPUs"); }},
    {"samples", [](TrainOptions& o, Text name,
                   Text text) { o.samples = whole_number(name, text, 1, 1024, "leave it out for 14"); }},
    {"batch",
     [](TrainOptions& o, Text name, Text text) {
       o.batch = whole_number<std::int64_t>(name, text, 0, most, "0 chooses by the table's size");
     }},
    {"steps",
     [](TrainOptions& o, Text name, Text text) {
       o.steps = whole_number<std::int64_t>(name, text, 0, most, "0 trains until the fit settles");
     }},
    {"lr", [](TrainOptions& o, Text name,
              Text text) { o.learning_rate = positive_number(name, text, "leave it out for 0.05"); }},
    {"optimizer",
     [](TrainOptions&, Text name, Text text) {
       if (text != "adam") refuse(name, text, "it is adam");
     }},
}};

}  // namespace

void set_option(TrainOptions& options, std::string_view name, std::string_view text) {
  for (const Option& option : all_options) {
    if (option.name == name) return option.set(options, name, text);
  }
  std::vector<std::string> names;
  for (const Option& option : all_options) names.emplace_back(option.name);
  for (const std::string_view parameter : other_parameters()) {
    names.push_back(fmt::format("formula-{}", parameter));
    if (names.back() == name) return set_formula(options, parameter, text);
  }
  throw InputError(fmt::format("there is no option {}; {}", show(name), suggest_names(name, names, "options")));
}

}  // namespace jensen
