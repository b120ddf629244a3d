#include "jensen/terms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "jensen/errors.hpp"
#include "jensen/jensen.hpp"
#include "same_posterior.hpp"

namespace jensen {
namespace {

/// y ~ Normal(b . x, sigma), once by formula and once by terms.
struct Regression {
  static constexpr std::size_t rows = 400;
  std::vector<float> x, y;
  std::vector<double> column, response;

  Regression() {
    std::mt19937 bits(5);
    std::normal_distribution<double> normal;
    for (std::size_t i = 0; i < rows; ++i) {
      column.push_back(static_cast<float>(normal(bits)));
      response.push_back(static_cast<float>(0.5 + 1.5 * column.back() + 0.8 * normal(bits)));
      x.insert(x.end(), {1.0F, static_cast<float>(column.back())});
      y.push_back(static_cast<float>(response.back()));
    }
  }

  TermModel model() const {
    TermModel model;
    const Block b = model.block("b", 2, Support::real, "normal(0, 3)");
    const Block sigma = model.block("sigma", 1, Support::positive, "exponential(1)");
    model.add(term(b, sigma));
    return model;
  }
  ModelTerm term(Block b, Block sigma) const {
    ModelTerm term;
    term.rows = rows;
    term.y = y;
    term.arguments.resize(2);
    term.arguments[0].dense = {{x, b}};
    term.arguments[1].scalars = {{sigma}};
    return term;
  }
};

TEST(TermModel, HasThePosteriorOfTheFormula) {
  const Regression data;
  Table table("regression");
  table.add("x", std::span<const double>(data.column));
  table.add("y", std::span<const double>(data.response));
  TrainOptions options;
  for (const char* prior : {"b ~ normal(0, 3)", "Intercept ~ normal(0, 3)", "sigma ~ exponential(1)"}) {
    options.priors.push_back(parse_prior(prior));
  }
  const Fit formula = train("y ~ 1 + x", table, options);
  const Fit terms = train(data.model());
  test::expect_same_posterior(formula, terms);
}

/// Minibatches, threads, and a state restored: the columns of the caller are read where they are throughout.
TEST(TermModel, SameBitsForAnyThreadsAndFromAState) {
  const Regression data;
  TrainOptions options;
  options.device = DeviceKind::cpu;
  options.steps = 150;
  options.batch = 100;
  const TermModel model = data.model();
  const Fit whole = train(model, options);
  EXPECT_EQ(whole.rows, 400);
  for (const int threads : {1, 2, 3}) {
    options.threads = threads;
    Trainer first(model, options);
    while (first.steps() < 30 * threads) first.step();
    Trainer second(model, options);
    second.restore(first.state());
    const Fit fit = second.run();
    EXPECT_EQ(fit.mean, whole.mean);
    EXPECT_EQ(fit.factor, whole.factor);
    EXPECT_EQ(fit.elbo, whole.elbo);
  }
  Regression other;
  other.x[5] += 1e-3F;
  Trainer changed(other.model(), options);
  EXPECT_THROW(changed.restore(Trainer(model, options).state()), InputError);
}

/// Minibatches of rows that follow one another: other ones, and the same posterior.
TEST(TermModel, RowsInRandomOrderNeedNotBePicked) {
  const Regression data;
  TrainOptions options;
  options.device = DeviceKind::cpu;
  options.batch = 100;
  TermModel model = data.model();
  const Fit picked = train(model, options);
  model.rows_in_random_order();
  const Fit followed = train(model, options);
  EXPECT_NE(followed.mean, picked.mean);
  test::expect_same_posterior(followed, picked);
  EXPECT_THROW(Trainer(model, options).restore(Trainer(data.model(), options).state()), InputError);
}

TEST(TermModel, GpuColumnsAreForTheGpu) {
  const Regression data;
  TermModel model;
  const Block b = model.block("b", 2), sigma = model.block("sigma", 1, Support::positive);
  ModelTerm term = data.term(b, sigma);
  term.arguments[0].dense[0].on_gpu = true;
  model.add(term);
  TrainOptions options;
  options.device = DeviceKind::cpu;
  EXPECT_THROW(train(model, options), InputError);
  term.arguments[0].dense[0].x = term.arguments[0].dense[0].x.first(799);
  EXPECT_THROW(model.add(term), InputError);
}

/// What add() says to a term that `change` has spoilt.
template <class F>
std::string complaint(F change) {
  const Regression data;
  TermModel model;
  const Block b = model.block("b", 2);
  const Block sigma = model.block("sigma", 1, Support::positive);
  ModelTerm term = data.term(b, sigma);
  std::vector<float> memory;
  change(term, memory);
  try {
    model.add(term);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing";
}

TEST(TermModel, SaysWhatIsWrongInASentence) {
  using testing::HasSubstr;
  EXPECT_EQ(complaint([](ModelTerm&, std::vector<float>&) {}), "nothing");
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>&) { t.y = t.y.subspan(1); }),
              HasSubstr("399 numbers of y for 400 rows"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>& memory) {
                memory.assign(t.y.begin(), t.y.end());
                memory[6] = std::numeric_limits<float>::quiet_NaN();
                t.y = memory;
              }),
              HasSubstr("nan in row 7 of y"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>&) { t.arguments[1].scalars[0].block.index = 9; }),
              HasSubstr("a block that is not this model's"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>&) { t.arguments[1].scalars[0].element = 1; }),
              HasSubstr("element 1 of"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>&) { t.arguments.pop_back(); }),
              HasSubstr("1 arguments for a density of 2"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>&) { t.family = Family::bernoulli, t.link = Link::logit; }),
              HasSubstr("is not 0 or 1"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>&) { t.trials = t.y; }),
              HasSubstr("trials for family gaussian"));
  TermModel model;
  EXPECT_THROW(model.block("a", 1, Support::positive, "lkj(1)"), InputError);
  EXPECT_THROW(model.block("a", 0), InputError);
  EXPECT_THROW(model.block("a", 8193), InputError);
  EXPECT_THROW(train(model), InputError);
}

/// Rows of x and of categories 1 .. 4 of a logistic variable about x, in order, or by their own logits.
struct Categories {
  static constexpr std::size_t rows = 600;
  std::vector<float> x, ordered, unordered;
  Table table{"categories"};
  std::vector<double> columns[3];

  Categories() {
    std::mt19937 bits(11);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform(1e-9, 1);
    for (std::size_t i = 0; i < rows; ++i) {
      x.push_back(static_cast<float>(normal(bits)));
      const double u = uniform(bits), latent = 1.2 * static_cast<double>(x.back()) + std::log(u / (1 - u));
      ordered.push_back(latent < -1.5 ? 1 : latent < 0 ? 2 : latent < 2 ? 3 : 4);
      const double logits[3] = {0.5, static_cast<double>(x.back()), -0.5 * static_cast<double>(x.back())};
      int best = 0;
      double most = -std::log(-std::log(uniform(bits)));
      for (int k = 0; k < 3; ++k) {
        const double utility = logits[k] - std::log(-std::log(uniform(bits)));
        if (utility > most) best = k + 1, most = utility;
      }
      unordered.push_back(static_cast<float>(best + 1));
      columns[0].push_back(static_cast<double>(x.back()));
      columns[1].push_back(static_cast<double>(ordered.back()));
      columns[2].push_back(static_cast<double>(unordered.back()));
    }
    const char* names[3] = {"x", "ordered", "unordered"};
    for (int c = 0; c < 3; ++c) table.add(names[c], std::span<const double>(columns[c]));
  }
};

TEST(TermModel, OrderedCategoriesHaveThePosteriorOfTheFormula) {
  const Categories data;
  TermModel model;
  const Block thresholds = model.block("threshold", 3, Support::increasing, "normal(0, 3)");
  const Block b = model.block("b", 1, Support::real, "normal(0, 2)");
  ModelTerm term;
  term.rows = Categories::rows;
  term.family = Family::cumulative;
  term.link = Link::logit;
  term.y = data.ordered;
  term.thresholds = thresholds;
  term.arguments.resize(1);
  term.arguments[0].dense = {{data.x, b}};
  model.add(term);
  TrainOptions options;
  options.family = Family::cumulative;
  for (const char* prior : {"b ~ normal(0, 2)", "Intercept ~ normal(0, 3)"}) {
    options.priors.push_back(parse_prior(prior));
  }
  const Fit fit = train(model);
  test::expect_same_posterior(train("ordered ~ x", data.table, options), fit);
  const std::vector<double> draws = fit.draw(200, 1);
  for (std::size_t d = 0; d < 200; ++d) {
    EXPECT_LT(draws[4 * d], draws[4 * d + 1]);
    EXPECT_LT(draws[4 * d + 1], draws[4 * d + 2]);
  }
}

TEST(TermModel, UnorderedCategoriesHaveThePosteriorOfTheFormula) {
  const Categories data;
  std::vector<float> x;
  for (const float value : data.x) x.insert(x.end(), {1.0F, value});
  TermModel model;
  ModelTerm term;
  term.rows = Categories::rows;
  term.family = Family::categorical;
  term.link = Link::softmax;
  term.y = data.unordered;
  term.arguments.resize(3);
  for (std::size_t k = 0; k < 3; ++k) {
    term.arguments[k].dense = {{x, model.block("b" + std::to_string(k + 2), 2, Support::real, "normal(0, 2)")}};
  }
  model.add(term);
  TrainOptions options;
  options.family = Family::categorical;
  for (const char* prior : {"b ~ normal(0, 2)", "Intercept ~ normal(0, 2)"}) {
    options.priors.push_back(parse_prior(prior));
  }
  test::expect_same_posterior(train("unordered ~ x", data.table, options), train(model));
}

TEST(TermModel, SaysWhatIsWrongWithCategories) {
  using testing::HasSubstr;
  const auto cumulative = [](ModelTerm& t, std::vector<float>& memory) {
    memory.assign(Regression::rows, 1);
    t.family = Family::cumulative;
    t.link = Link::logit;
    t.y = memory;
    t.arguments.resize(1);
  };
  EXPECT_THAT(complaint(cumulative), HasSubstr("no thresholds of family cumulative"));
  EXPECT_THAT(complaint([&](ModelTerm& t, std::vector<float>& memory) {
                t.thresholds = t.arguments[1].scalars[0].block;
                cumulative(t, memory);
              }),
              HasSubstr("thresholds of sigma, which is positive"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>& memory) {
                memory.assign(Regression::rows, 1);
                memory[3] = 4;
                t.family = Family::categorical;
                t.link = Link::softmax;
                t.y = memory;
              }),
              HasSubstr("y = 4 in row 4, which is none of 3 categories"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>&) { t.thresholds = t.arguments[0].dense[0].block; }),
              HasSubstr("thresholds of family gaussian"));
}

TEST(TermModel, RefusesWhatContradictsItself) {
  using testing::HasSubstr;
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>& memory) {
                memory.assign(Regression::rows, 1);
                memory[5] = -1;
                t.weights = memory;
              }),
              HasSubstr("a weight of -1 in row 6"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>&) { t.constants = {t.y}; }),
              HasSubstr("constants of a family"));
  EXPECT_THAT(complaint([](ModelTerm& t, std::vector<float>&) { t.family = static_cast<Family>(77); }),
              HasSubstr("there is no family 77"));
  const Regression data;
  TermModel model;
  const Block b = model.block("b", 2), sigma = model.block("sigma", 1, Support::positive);
  EXPECT_THROW(model.block("c", 1, static_cast<Support>(9)), InputError);
  model.add(data.term(b, sigma));
  model.block("idle", 1);
  try {
    train(model);
    FAIL() << "nothing depends on idle";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("nothing depends on 'idle'"));
  }
}

TEST(TermModel, KnowsItsOwnBlocks) {
  const Regression data;
  TermModel model, other;
  const Block b = model.block("b", 2), sigma = model.block("sigma", 1, Support::positive);
  other.block("b", 2);
  const Block foreign = other.block("sigma", 1, Support::positive);
  EXPECT_THROW(model.add(data.term(b, foreign)), InputError);
  EXPECT_THROW(model.add(data.term(Block{}, sigma)), InputError);
  TermModel copy = model;
  EXPECT_NO_THROW(copy.add(data.term(b, sigma)));
}

}  // namespace
}  // namespace jensen
