#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "jensen/errors.hpp"
#include "jensen/jensen.hpp"
#include "own_priors.hpp"
#include "same_posterior.hpp"

namespace jensen {
namespace {

/// One observation, so that the models have a term.
void add_observation(TermModel& model, Block mean, const std::vector<float>& y, const std::vector<float>& zero) {
  ModelTerm term;
  term.rows = 1;
  term.y = y;
  term.arguments.resize(2);
  term.arguments[0].scalars = {{mean, 0, 0.2}};
  term.arguments[1].offset = zero;
  model.add(term);
}

TEST(OwnPrior, IsTheNamedOneOnEverySupport) {
  const std::vector<float> y = {0.3F}, zero = {0.0F}, centers = {0.5F, 0.5F, 0.5F};
  TermModel own, named;
  const Block own_b = own.block("b", 3), own_s = own.block("s", 2, Support::positive);
  const Block own_p = own.block("p", 1, Support::unit);
  own.prior(own_b, density<OnReal<own::Normal>>(), {centers});
  own.prior(own_s, density<OnPositive<own::Exponential>>());
  own.prior(own_p, density<OnUnit<own::Beta>>());
  add_observation(own, own_b, y, zero);
  const Block named_b = named.block("b", 3, Support::real, "normal(0.5, 1.5)");
  named.block("s", 2, Support::positive, "exponential(2)");
  named.block("p", 1, Support::unit, "beta(2, 3)");
  add_observation(named, named_b, y, zero);
  test::expect_same_posterior(train(named), train(own), 0.02);
}

/// tau is known by its prior to be near 0.5: effects given it, by elements, are as normal(0, 0.5) ones.
TEST(OwnPrior, OfElementsGivenAnotherParameter) {
  const std::vector<float> y = {0.3F}, zero = {0.0F};
  TermModel own, named;
  const Block effects = own.block("u", 4), tau = own.block("tau", 1, Support::positive, "lognormal(-0.6931472, 0.001)");
  ModelTerm prior;
  prior.rows = 4;
  prior.data = false;
  prior.custom = &density<own::EffectGivenScale>();
  prior.arguments.resize(2);
  prior.arguments[0].elements = {effects};
  prior.arguments[1].scalars = {{tau}};
  own.add(prior);
  add_observation(own, effects, y, zero);
  const Block named_effects = named.block("u", 4, Support::real, "normal(0, 0.5)");
  named.block("tau", 1, Support::positive, "lognormal(-0.6931472, 0.001)");
  add_observation(named, named_effects, y, zero);
  test::expect_same_posterior(train(named), train(own), 0.02);
}

TEST(OwnPrior, RefusesWhatCannotBe) {
  TermModel model, other;
  const Block b = model.block("b", 2), named = model.block("c", 1, Support::real, "normal(0, 1)");
  const DensityCode& code = density<OnReal<own::Normal>>();
  const std::vector<float> one = {1.0F}, two = {1.0F, 1.0F};
  EXPECT_THROW(model.prior(named, code, {one}), InputError);
  EXPECT_THROW(model.prior(other.block("b", 2), code, {two}), InputError);
  EXPECT_THROW(model.prior(b, code), InputError);
  EXPECT_THROW(model.prior(b, code, {one}), InputError);
  EXPECT_NO_THROW(model.prior(b, code, {two}));
  ModelTerm term;
  term.rows = 3;
  term.data = false;
  term.custom = &code;
  const std::vector<float> three(3);
  term.constants = {three};
  term.arguments.resize(1);
  term.arguments[0].elements = {b};
  term.y = three;
  EXPECT_THROW(model.add(term), InputError);
  term.y = {};
  try {
    model.add(term);
    FAIL() << "elements of two in three rows";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("elements of 'b', which has 2, in 3 rows"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace jensen
