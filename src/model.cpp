#include "jensen/model.hpp"

#include "text.hpp"

namespace jensen {
namespace {

constexpr std::array<Named<Family>, 3> families{
    {{"gaussian", Family::gaussian}, {"bernoulli", Family::bernoulli}, {"poisson", Family::poisson}}};

}  // namespace

std::string_view to_string(Family family) { return name_of(families, family); }
Family parse_family(std::string_view name) { return value_of(families, name, "family", "--family"); }

}  // namespace jensen
