#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "prior_forms.hpp"
#include "show.hpp"
#include "text.hpp"

namespace jensen {
namespace {

// Reads one prior; the members are the pieces of "TARGET ~ NAME(ARGUMENTS)".
class PriorReader {
 public:
  explicit PriorReader(std::string_view text) : text_(text), scanner_(text, "prior", "--prior") {}

  Prior read() {
    std::string target = read_target();
    read_form();
    read_arguments();
    if (!scanner_.at_end()) {
      scanner_.fail("expected nothing after the distribution; give each prior on its own", scanner_.position());
    }
    return {std::move(target), form_->kind, stored(placed())};
  }

 private:
  struct Argument {
    std::string_view name;  // empty if the call has none
    std::size_t name_at = 0;
    double value = 0;
    std::size_t at = 0;
  };

  std::string read_target() {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t tilde = text_.find('~');
    if (tilde == std::string_view::npos) {
      scanner_.fail("expected '~' after the parameter, as in b ~ normal(0, 2.5)", text_.find_last_not_of(blanks) + 1);
    }
    const std::string_view before = text_.substr(0, tilde);
    const std::size_t begin = before.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
      scanner_.fail("expected a parameter before '~', as in b ~ normal(0, 2.5)", tilde);
    }
    scanner_.seek(tilde + 1);
    return std::string(before.substr(begin, before.find_last_not_of(blanks) - begin + 1));
  }

  void read_form() {
    name_at_ = scanner_.position();
    const std::string_view name = scanner_.name();
    if (name.empty()) scanner_.fail("expected a distribution after '~'", name_at_);
    const auto found = std::ranges::find(prior_forms(), name, &PriorForm::name);
    if (found == prior_forms().end()) {
      std::vector<std::string_view> names;
      for (const PriorForm& form : prior_forms()) names.push_back(form.name);
      scanner_.fail(fmt::format("there is no distribution {}; use {}", show(name), list_choices(names)), name_at_);
    }
    form_ = &*found;
  }

  void read_arguments() {
    if (!scanner_.accept('(')) {
      scanner_.fail(fmt::format("expected '(' after {}", show(form_->name)), scanner_.position());
    }
    if (scanner_.accept(')')) return;
    do read_argument();
    while (scanner_.accept(','));
    if (!scanner_.accept(')')) scanner_.fail("expected ',' or ')'", scanner_.position());
  }

  void read_argument() {
    Argument argument;
    argument.name_at = scanner_.position();
    argument.name = scanner_.name();
    if (argument.name.empty() || !scanner_.accept('=')) {
      argument.name = {};
      scanner_.seek(argument.name_at);
    }
    argument.at = scanner_.position();
    argument.value = scanner_.number();
    if (argument.value == 1 && scanner_.accept('/')) read_reciprocal(argument);
    given_.push_back(argument);
  }

  // exponential(1/2.5): the rate whose mean is 2.5.
  void read_reciprocal(Argument& argument) {
    if (form_->kind != PriorKind::exponential) {
      scanner_.fail("only the rate of exponential may be a quotient", scanner_.position());
    }
    argument.at = scanner_.position();
    const double mean = scanner_.number();
    if (!(mean > 0)) scanner_.fail("the mean must be above 0", argument.at);
    argument.value = 1 / mean;
    if (!std::isfinite(argument.value)) scanner_.fail("the mean is too small", argument.at);
  }

  // The arguments in the order of the form, each where it belongs.
  std::vector<Argument> placed() const {
    const std::span<const PriorArgument> slots = form_->arguments();
    std::vector<std::optional<Argument>> places(slots.size());
    const auto named = static_cast<std::size_t>(
        std::ranges::count_if(given_, [](const Argument& argument) { return !argument.name.empty(); }));
    const bool without_location = named == 0 && given_.size() == form_->stored();
    std::size_t next = 0;
    for (const Argument& argument : given_) {
      std::size_t place = next;
      if (argument.name.empty()) {
        if (without_location && next < slots.size() && slots[next].range == ArgumentRange::zero) place = ++next;
        if (place >= slots.size()) fail_count();
        if (&argument != given_.data() && !(&argument - 1)->name.empty()) {
          scanner_.fail("the arguments without a name come first", argument.at);
        }
        ++next;
      } else {
        place = place_of(argument);
      }
      if (places[place]) {
        scanner_.fail(fmt::format("{} is given twice", show(slots[place].name)), argument.name_at);
      }
      places[place] = argument;
    }
    return complete(places);
  }

  std::size_t place_of(const Argument& argument) const {
    const auto slots = form_->arguments();
    const auto found = std::ranges::find(slots, argument.name, &PriorArgument::name);
    if (found == slots.end()) {
      scanner_.fail(fmt::format("{} has no argument {}; it is {}", form_->name, show(argument.name), usage(*form_)),
                    argument.name_at);
    }
    return static_cast<std::size_t>(found - slots.begin());
  }

  std::vector<Argument> complete(const std::vector<std::optional<Argument>>& places) const {
    std::vector<Argument> all;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i]) {
        all.push_back(*places[i]);
      } else if (form_->optional) {
        all.push_back({{}, name_at_, form_->defaults[i], name_at_});
      } else if (form_->slots[i].range == ArgumentRange::zero) {
        all.push_back({{}, name_at_, 0, name_at_});
      } else {
        fail_count();
      }
    }
    return all;
  }

  std::vector<double> stored(const std::vector<Argument>& arguments) const {
    std::vector<double> values, kept;
    for (const Argument& argument : arguments) values.push_back(argument.value);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string problem = problem_with_argument(*form_, values, i);
      if (!problem.empty()) scanner_.fail(problem, arguments[i].at);
      if (form_->slots[i].range != ArgumentRange::zero) kept.push_back(values[i]);
    }
    return kept;
  }

  [[noreturn]] void fail_count() const {
    const std::string form =
        form_->count == 0 ? usage(*form_) : fmt::format("{}, as in {}", usage(*form_), form_->example);
    scanner_.fail(fmt::format("expected {}, not {} argument{}", form, given_.size(), given_.size() == 1 ? "" : "s"),
                  name_at_);
  }

  std::string_view text_;
  Scanner scanner_;
  const PriorForm* form_ = nullptr;
  std::size_t name_at_ = 0;
  std::vector<Argument> given_;
};

}  // namespace

Prior parse_prior(std::string_view text) { return PriorReader(text).read(); }

std::string to_string(const Prior& prior) {
  const PriorForm& form = form_of(prior.kind);
  const bool half = form.stored() < form.count;
  std::string arguments;
  for (std::size_t i = 0; i < prior.arguments.size(); ++i) {
    if (i > 0) arguments += ", ";
    if (half && i + 1 == prior.arguments.size()) arguments += "0, ";  // the location, before the scale
    arguments += fmt::format("{}", prior.arguments[i]);
  }
  return fmt::format("{} ~ {}({})", prior.target, form.name, arguments);
}

}  // namespace jensen
