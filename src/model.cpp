#include "jensen/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "show.hpp"
#include "text.hpp"

namespace jensen {
namespace {

constexpr std::array<Named<Family>, 15> families{{{"gaussian", Family::gaussian},
                                                  {"student_t", Family::student_t},
                                                  {"bernoulli", Family::bernoulli},
                                                  {"binomial", Family::binomial},
                                                  {"poisson", Family::poisson},
                                                  {"negative_binomial", Family::negative_binomial},
                                                  {"gamma", Family::gamma},
                                                  {"beta", Family::beta},
                                                  {"lognormal", Family::lognormal},
                                                  {"exponential", Family::exponential},
                                                  {"weibull", Family::weibull},
                                                  {"zero_inflated_poisson", Family::zero_inflated_poisson},
                                                  {"hurdle_poisson", Family::hurdle_poisson},
                                                  {"cumulative", Family::cumulative},
                                                  {"categorical", Family::categorical}}};

constexpr std::array<Named<Link>, 6> links{{{"identity", Link::identity},
                                            {"log", Link::log},
                                            {"logit", Link::logit},
                                            {"probit", Link::probit},
                                            {"cloglog", Link::cloglog},
                                            {"softmax", Link::softmax}}};

constexpr std::array<std::string_view, 8> distributions{"flat",        "normal",         "student_t",   "cauchy",
                                                        "half_normal", "half_student_t", "half_cauchy", "exponential"};

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Reads one prior; the members are the pieces of "TARGET ~ NAME(VALUES)".
class PriorReader {
 public:
  explicit PriorReader(std::string_view text) : text_(text), scanner_(text, "prior", "--prior") {}

  Prior read() {
    read_target();
    name_at_ = scanner_.position();
    name_ = scanner_.name();
    if (name_.empty()) scanner_.fail("expected a distribution after '~'", name_at_);
    if (std::ranges::find(distributions, name_) == distributions.end()) {
      scanner_.fail(fmt::format("there is no distribution {}; use {}", show(name_), list_choices(distributions)),
                    name_at_);
    }
    read_values();
    if (!scanner_.at_end()) {
      scanner_.fail("expected nothing after the distribution; give each prior on its own", scanner_.position());
    }
    return make();
  }

 private:
  struct Value {
    double number = 0;
    std::size_t at = 0;
  };

  void read_target() {
    const std::size_t tilde = text_.find('~');
    if (tilde == std::string_view::npos) {
      scanner_.fail("expected '~' after the parameter, as in b ~ normal(0, 2.5)", trim_end());
    }
    prior_.target = trim(text_.substr(0, tilde));
    if (prior_.target.empty()) scanner_.fail("expected a parameter before '~', as in b ~ normal(0, 2.5)", tilde);
    scanner_.seek(tilde + 1);
  }

  void read_values() {
    if (!scanner_.accept('(')) {
      scanner_.fail(fmt::format("expected '(' after {}", show(name_)), scanner_.position());
    }
    if (!scanner_.accept(')')) {
      do {
        const std::size_t at = scanner_.position();
        values_.push_back({scanner_.number(), at});
        if (values_.back().number == 1 && scanner_.accept('/')) read_reciprocal();
      } while (scanner_.accept(','));
      if (!scanner_.accept(')')) scanner_.fail("expected ',' or ')'", scanner_.position());
    }
  }

  // exponential(1/2.5): its scale, which the reciprocal of a rounded rate need not be.
  void read_reciprocal() {
    if (name_ != "exponential") scanner_.fail("only the rate of exponential may be a quotient", scanner_.position());
    values_.back().at = scanner_.position();
    values_.back().number = scanner_.number();
    rate_is_reciprocal_ = true;
  }

  Prior make() {
    if (name_ == "flat") {
      expect(values_.empty(), "flat()");
    } else if (name_ == "normal" || name_ == "cauchy") {
      expect(2 == values_.size(), fmt::format("{0}(location, scale), as in {0}(0, 2.5)", name_));
      if (name_ == "cauchy") prior_.df = 1;
      make_real(name_ == "normal" ? PriorKind::normal : PriorKind::student_t, values_[0], values_[1]);
    } else if (name_ == "student_t") {
      expect(3 == values_.size(), "student_t(df, location, scale), as in student_t(3, 0, 2.5)");
      prior_.df = positive(values_[0], "the degrees of freedom");
      make_real(PriorKind::student_t, values_[1], values_[2]);
    } else if (name_ == "exponential") {
      expect(1 == values_.size(), "exponential(rate), as in exponential(1)");
      make_exponential();
    } else {
      make_half();
    }
    return prior_;
  }

  void make_real(PriorKind kind, Value location, Value scale) {
    prior_.kind = kind;
    prior_.location = location.number;
    prior_.scale = positive(scale, "the scale");
    if (!on_sigma()) return;
    if (location.number != 0) {
      scanner_.fail(
          fmt::format("sigma is positive, so {} means its positive half there, whose location is 0; write half_{}",
                      name_, name_),
          location.at);
    }
    prior_.location = 0;
    if (kind == PriorKind::normal) prior_.kind = PriorKind::half_normal;
    if (kind == PriorKind::student_t) prior_.kind = PriorKind::half_student_t;
    if (name_ == "cauchy") make_cauchy_half();
  }

  void make_half() {
    expect_sigma();
    if (name_ == "half_student_t") {
      expect(3 == values_.size(), "half_student_t(df, 0, scale), as in half_student_t(3, 0, 2.5)");
      prior_.kind = PriorKind::half_student_t;
      prior_.df = positive(values_.front(), "the degrees of freedom");
    } else {
      expect(1 == values_.size() || 2 == values_.size(), fmt::format("{0}(scale), as in {0}(2.5)", name_));
      prior_.kind = PriorKind::half_normal;
      if (name_ == "half_cauchy") make_cauchy_half();
    }
    if (values_.size() > 1) {
      const Value location = values_[values_.size() - 2];
      if (location.number != 0) scanner_.fail("the location of a half distribution is 0", location.at);
    }
    prior_.scale = positive(values_.back(), "the scale");
  }

  void make_cauchy_half() {
    prior_.kind = PriorKind::half_cauchy;
    prior_.df = 0;
  }

  void make_exponential() {
    expect_sigma();
    prior_.kind = PriorKind::exponential;
    const double value = positive(values_[0], rate_is_reciprocal_ ? "the scale" : "the rate");
    prior_.scale = rate_is_reciprocal_ ? value : 1 / value;
    if (!std::isfinite(prior_.scale)) scanner_.fail("the rate is too small", values_[0].at);
  }

  void expect(bool right, std::string_view usage) const {
    if (!right) scanner_.fail(fmt::format("expected {}, not {} arguments", usage, values_.size()), name_at_);
  }

  void expect_sigma() const {
    if (on_sigma()) return;
    scanner_.fail(fmt::format("{} is for a positive parameter, sigma; {} takes normal, student_t, cauchy or flat",
                              name_, show(prior_.target)),
                  name_at_);
  }

  double positive(Value value, std::string_view what) const {
    if (!(value.number > 0)) scanner_.fail(fmt::format("{} must be above 0", what), value.at);
    return value.number;
  }

  bool on_sigma() const { return prior_.target == "sigma"; }
  std::size_t trim_end() const { return text_.find_last_not_of(" \t\r\n") + 1; }

  std::string_view text_;
  Scanner scanner_;
  std::string_view name_;
  std::size_t name_at_ = 0;
  std::vector<Value> values_;
  bool rate_is_reciprocal_ = false;
  Prior prior_;
};

// A rate whose reciprocal rounds to `scale`, or "1/SCALE" where no double is one.
std::string rate_text(double scale) {
  const double nearest = 1 / scale;
  for (const double rate : {nearest, std::nextafter(nearest, 0.0), std::nextafter(nearest, HUGE_VAL)}) {
    if (std::isfinite(rate) && 1 / rate == scale) return fmt::format("{}", rate);
  }
  return fmt::format("1/{}", scale);
}

std::string distribution_text(const Prior& prior) {
  switch (prior.kind) {
    case PriorKind::flat:
      return "flat()";
    case PriorKind::normal:
      return fmt::format("normal({}, {})", prior.location, prior.scale);
    case PriorKind::student_t:
      return fmt::format("student_t({}, {}, {})", prior.df, prior.location, prior.scale);
    case PriorKind::half_normal:
      return fmt::format("half_normal({})", prior.scale);
    case PriorKind::half_student_t:
      return fmt::format("half_student_t({}, 0, {})", prior.df, prior.scale);
    case PriorKind::half_cauchy:
      return fmt::format("half_cauchy({})", prior.scale);
    case PriorKind::exponential:
      return fmt::format("exponential({})", rate_text(prior.scale));
  }
  return "unknown";
}

}  // namespace

std::string_view to_string(Family family) { return name_of(families, family); }
Family parse_family(std::string_view name) { return value_of(families, name, "family", "--family"); }

std::string_view to_string(Link link) { return name_of(links, link); }
Link parse_link(std::string_view name) { return value_of(links, name, "link", "--link"); }

Prior parse_prior(std::string_view text) { return PriorReader(text).read(); }
std::string to_string(const Prior& prior) { return fmt::format("{} ~ {}", prior.target, distribution_text(prior)); }

}  // namespace jensen
