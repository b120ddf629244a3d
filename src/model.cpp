#include "jensen/model.hpp"

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

}  // namespace

std::string_view to_string(Family family) { return name_of(families, family); }
Family parse_family(std::string_view name) { return value_of(families, name, "family", "--family"); }

std::string_view to_string(Link link) { return name_of(links, link); }
Link parse_link(std::string_view name) { return value_of(links, name, "link", "--link"); }

}  // namespace jensen
