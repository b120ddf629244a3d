#include "prior_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace jensen {
namespace {

using enum ArgumentRange;

constexpr PriorArgument location{"location", "the location", any};
constexpr PriorArgument zero_location{"location", "the location", zero};
constexpr PriorArgument scale{"scale", "the scale", positive};
constexpr PriorArgument df{"df", "the degrees of freedom", positive};
constexpr PriorArgument shape{"shape", "the shape", positive};
constexpr PriorArgument rate{"rate", "the rate", positive};

constexpr std::array<PriorForm, 17> forms{{
    {PriorKind::flat, "flat", "flat()"},
    {PriorKind::normal, "normal", "normal(0, 2.5)", 2, {location, scale}},
    {PriorKind::student_t, "student_t", "student_t(3, 0, 2.5)", 3, {df, location, scale}},
    {PriorKind::cauchy, "cauchy", "cauchy(0, 2.5)", 2, {location, scale}},
    {PriorKind::laplace, "laplace", "laplace(0, 1)", 2, {location, scale}},
    {PriorKind::logistic, "logistic", "logistic(0, 1)", 2, {location, scale}},
    {PriorKind::half_normal, "half_normal", "half_normal(0, 2.5)", 2, {zero_location, scale}},
    {PriorKind::half_student_t, "half_student_t", "half_student_t(3, 0, 2.5)", 3, {df, zero_location, scale}},
    {PriorKind::half_cauchy, "half_cauchy", "half_cauchy(0, 2.5)", 2, {zero_location, scale}},
    {PriorKind::exponential, "exponential", "exponential(1)", 1, {rate}},
    {PriorKind::gamma, "gamma", "gamma(2, 0.1)", 2, {shape, rate}},
    {PriorKind::inverse_gamma, "inverse_gamma", "inverse_gamma(3, 2)", 2, {shape, scale}},
    {PriorKind::lognormal, "lognormal", "lognormal(0, 1)", 2, {location, scale}},
    {PriorKind::uniform,
     "uniform",
     "uniform(0, 10)",
     2,
     {PriorArgument{"lower", "the lower bound", any}, PriorArgument{"upper", "the upper bound", any}}},
    {PriorKind::beta, "beta", "beta(2, 2)", 2, {PriorArgument{"a", "a", positive}, PriorArgument{"b", "b", positive}}},
    {PriorKind::lkj, "lkj", "lkj(2)", 1, {PriorArgument{"eta", "eta", positive}}},
    {PriorKind::horseshoe,
     "horseshoe",
     "horseshoe(1, 0.1)",
     4,
     {df, PriorArgument{"scale_global", "scale_global", positive}, PriorArgument{"df_slab", "df_slab", positive},
      PriorArgument{"scale_slab", "scale_slab", positive}},
     true,
     {1, 1, 4, 2}},
}};

}  // namespace

std::size_t PriorForm::stored() const {
  const auto fixed =
      std::ranges::count_if(arguments(), [](const PriorArgument& a) { return a.range == ArgumentRange::zero; });
  return count - static_cast<std::size_t>(fixed);
}

std::span<const PriorForm> prior_forms() { return forms; }
const PriorForm& form_of(PriorKind kind) { return forms[static_cast<std::size_t>(kind)]; }
std::string_view to_string(PriorKind kind) { return form_of(kind).name; }

bool fits(PriorKind kind, Support support) {
  switch (kind) {
    case PriorKind::flat:
      return true;
    case PriorKind::uniform:
      return support != Support::correlation;
    case PriorKind::normal:
    case PriorKind::student_t:
    case PriorKind::cauchy:
    case PriorKind::laplace:
    case PriorKind::logistic:
    case PriorKind::horseshoe:
      return support == Support::real;
    case PriorKind::half_normal:
    case PriorKind::half_student_t:
    case PriorKind::half_cauchy:
    case PriorKind::exponential:
    case PriorKind::gamma:
    case PriorKind::inverse_gamma:
    case PriorKind::lognormal:
      return support == Support::positive;
    case PriorKind::beta:
      return support == Support::unit;
    case PriorKind::lkj:
      break;
  }
  return support == Support::correlation;
}

std::string usage(const PriorForm& form) {
  std::string text;
  for (const PriorArgument& argument : form.arguments()) {
    if (!text.empty()) text += ", ";
    text += argument.range == zero ? "0" : argument.name;
  }
  return fmt::format("{}({})", form.name, text);
}

std::string problem_with_argument(const PriorForm& form, std::span<const double> values, std::size_t i) {
  const PriorArgument& argument = form.slots[i];
  const double value = values[i];
  if (!std::isfinite(value)) return fmt::format("{} must be finite", argument.said);
  if (argument.range == positive && !(value > 0)) return fmt::format("{} must be above 0", argument.said);
  if (argument.range == zero && value != 0) return "the location of a half distribution is 0";
  if (form.kind == PriorKind::uniform && i == 1 && !(value > values[0])) {
    return "the upper bound must be above the lower one";
  }
  return "";
}

}  // namespace jensen
