/// \file Data and priors that a model cannot be made of, and those it can but should not: one sentence each.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "jensen/jensen.hpp"

namespace jensen {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

/// Twelve rows; columns that are wrong in one way each beside some that are not.
struct Rows {
  std::vector<double> y{1.2, 0.4, 2.2, 3.1, 1.9, 0.2, 2.8, 3.3, 1.1, 2.4, 0.9, 2.0};
  std::vector<double> x{0.5, -1.1, 0.3, 1.4, 0.2, -0.9, 1.2, 1.8, -0.4, 0.6, -0.2, 0.1};
  std::vector<double> one_number = std::vector<double>(12, 7.0);
  std::vector<double> sum, successes, trials = std::vector<double>(12, 4.0);
  std::vector<double> mixed{0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1};   ///< 0/1, not separated by x, f or dose
  std::vector<double> above{1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 1};   ///< x > 0
  std::vector<double> dose{0, 0, 2, 0, 0, 1.5, 0, 3, 0, 0, 0, 0};  ///< mixed is 1, 0, 0 where it is not 0
  std::vector<std::int32_t> f{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}, same = std::vector<std::int32_t>(12, 0);
  std::vector<std::int32_t> group{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};

  Rows() {
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum.push_back(x[i] + (f[i] == 1 ? 1 : 0));
      successes.push_back(i == 8 ? 5 : static_cast<double>(i % 4));
    }
  }
  Table table() const {
    Table t("data.csv");
    t.add("y", y);
    t.add("x", x);
    t.add("one_number", one_number);
    t.add("sum", sum);
    t.add("successes", successes);
    t.add("trials", trials);
    t.add("mixed", mixed);
    t.add("above", above);
    t.add("dose", dose);
    t.add("f", f, {"a", "b", "c"});
    t.add("same", same, {"only"});
    t.add("group", group, {"g1", "g2"});
    return t;
  }
};

TrainOptions of(Family family, std::vector<std::string> priors = {}) {
  TrainOptions options;
  options.family = family;
  for (const std::string& prior : priors) options.priors.push_back(parse_prior(prior));
  return options;
}

/// The message of the InputError, or nothing if there is none.
std::string refusal(const Table& table, const std::string& formula, const TrainOptions& options = {}) {
  try {
    train(formula, table, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(BadInput, AnUnknownFamily) {
  try {
    parse_family("gausian");
    ADD_FAILURE() << "taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("gausian"), HasSubstr("gaussian"), HasSubstr("categorical")));
  }
}

TEST(BadInput, APriorOnWhatTheModelHasNot) {
  const Rows rows;
  const Table table = rows.table();
  EXPECT_THAT(refusal(table, "mixed ~ x", of(Family::bernoulli, {"sigma ~ exponential(1)"})),
              AllOf(HasSubstr("the model has no 'sigma'"), HasSubstr("b_x"), HasSubstr("Intercept")));
  EXPECT_THAT(refusal(table, "y ~ x", of(Family::gaussian, {"sd ~ exponential(1)"})), HasSubstr("no 'sd'"));
  EXPECT_THAT(refusal(table, "y ~ x + (1 | group)", of(Family::gaussian, {"cor ~ lkj(2)"})), HasSubstr("no 'cor'"));
  EXPECT_THAT(refusal(table, "y ~ x + (1 | group)", of(Family::gaussian, {"sd_grp ~ exponential(1)"})),
              AllOf(HasSubstr("no 'sd_grp'"), HasSubstr("sd_group")));
  EXPECT_THAT(refusal(table, "y ~ x", of(Family::gaussian, {"b_z ~ normal(0, 1)"})), HasSubstr("no 'b_z'"));
  EXPECT_THAT(refusal(table, "y ~ 0 + x", of(Family::gaussian, {"Intercept ~ normal(0, 1)"})),
              HasSubstr("no 'Intercept'"));
  EXPECT_THAT(refusal(table, "y ~ x", of(Family::gaussian, {"b ~ normal(0, 1)", "b ~ normal(0, 2)"})),
              HasSubstr("two priors"));
}

TEST(BadInput, APriorOfAnotherSupport) {
  const Rows rows;
  const Table table = rows.table();
  for (const char* prior : {"b ~ exponential(1)", "b_x ~ beta(1, 1)", "sigma ~ laplace(0, 1)", "sigma ~ normal(1, 2)",
                            "sigma ~ lkj(1)", "sd ~ beta(2, 2)", "cor ~ normal(0, 1)"}) {
    const std::string message = refusal(table, "y ~ x + (1 + x | group)", of(Family::gaussian, {prior}));
    EXPECT_THAT(message, HasSubstr(prior)) << prior;
  }
}

TEST(BadInput, ColumnsThatRepeatOthersAreNamed) {
  const Rows rows;
  const Table table = rows.table();
  EXPECT_THAT(refusal(table, "y ~ x + f + sum"), AllOf(HasSubstr("'sum'"), HasSubstr("linear combination")));
  EXPECT_THAT(refusal(table, "y ~ x + I(x * 3 - 2)"), HasSubstr("'I(x * 3 - 2)'"));
  EXPECT_THAT(refusal(table, "y ~ x + one_number"), AllOf(HasSubstr("'one_number'"), HasSubstr("constant")));
  EXPECT_EQ(refusal(table, "y ~ x + f + sum", of(Family::gaussian, {"b ~ normal(0, 1)"})), "");
}

/// a and b differ by 1e-4 z: what rounding leaves of z's pivot in the columns' products is 1e-8, of z itself 1e-12.
TEST(BadInput, ACombinationWithLargeWeightsIsSeen) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> y, a, b, z, other;
    for (int i = 0; i < 3000; ++i) {
      y.push_back(normal(random));
      a.push_back(normal(random));
      z.push_back(normal(random));
      b.push_back(a.back() + 1e-4 * z.back());
      other.push_back(z.back() + 1e-3 * normal(random));
    }
    Table table("data.csv");
    table.add("y", y);
    table.add("a", a);
    table.add("b", b);
    table.add("z", z);
    table.add("other", other);
    EXPECT_THAT(refusal(table, "y ~ a + b + z"), AllOf(HasSubstr("'z'"), HasSubstr("linear combination"))) << seed;
    EXPECT_EQ(refusal(table, "y ~ a + b + other"), "") << seed;
  }
}

TEST(BadInput, OneLevelIsTooFew) {
  const Rows rows;
  const Table table = rows.table();
  EXPECT_THAT(refusal(table, "y ~ x + same"), AllOf(HasSubstr("same"), HasSubstr("level")));
  EXPECT_THAT(refusal(table, "y ~ factor(one_number)"), AllOf(HasSubstr("one_number"), HasSubstr("level")));
  EXPECT_THAT(refusal(table, "y ~ x + (1 | same)"), AllOf(HasSubstr("same"), HasSubstr("level")));
  EXPECT_THAT(refusal(table, "y ~ x + (1 | one_number)"), AllOf(HasSubstr("one_number"), HasSubstr("level")));
}

TEST(BadInput, MoreSuccessesThanTrials) {
  const Rows rows;
  const Table table = rows.table();
  EXPECT_THAT(refusal(table, "successes | trials(trials) ~ x", of(Family::binomial)),
              AllOf(HasSubstr("row 9"), HasSubstr("5 successes in 4 trials")));
  EXPECT_THAT(refusal(table, "successes | trials(x) ~ f", of(Family::binomial)), HasSubstr("row 1"));
  EXPECT_THAT(refusal(table, "successes ~ x", of(Family::binomial)), HasSubstr("trials(n)"));
}

TEST(BadInput, CountsBeyondTheirRange) {
  const Rows rows;
  Table table = rows.table();
  std::vector<double> counts = rows.trials;
  counts[3] = 1e10;
  table.add("counts", counts);
  EXPECT_THAT(refusal(table, "counts ~ x", of(Family::poisson)),
              AllOf(HasSubstr("row 4"), HasSubstr("10000000000 is not a count below 2^31")));
}

// --- Notes: what is no error, but hardly meant.

TEST(Notes, OptionsThatDoNothingAndFactorsOfManyLevels) {
  const std::size_t levels = 101, n = 3 * levels;
  std::vector<double> y;
  std::vector<std::int32_t> shop;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < levels; ++i) names.push_back(std::to_string(i));
  for (std::size_t i = 0; i < n; ++i) {
    y.push_back(static_cast<double>(i * i % 7));
    shop.push_back(static_cast<std::int32_t>(i % levels));
  }
  Table table("data.csv");
  table.add("y", y);
  table.add("shop", shop, names);
  TrainOptions options = of(Family::gaussian);
  options.steps = 100;
  options.device = DeviceKind::cpu;  // no note on the device
  const auto notes = [&](const std::string& formula) { return train(formula, table, options).notes; };
  EXPECT_THAT(notes("y ~ shop"),
              testing::ElementsAre(AllOf(HasSubstr("factor 'shop' has 101 levels"), HasSubstr("(1 | shop)"))));
  EXPECT_THAT(notes("y ~ (1 | shop)"), testing::IsEmpty());
  options.guide = GuideKind::structured;
  options.parametrization = Parametrization::centered;
  EXPECT_THAT(notes("y ~ (1 | shop)"), testing::IsEmpty());
  EXPECT_THAT(notes("y ~ 1"), testing::ElementsAre(HasSubstr("(--guide)"), HasSubstr("(--parametrization)")));
}

TEST(Notes, ALevelForEveryRow) {
  std::vector<double> y, se;
  std::vector<std::int32_t> id, twice;
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) {
    y.push_back(i % 7 + 0.1 * (i % 11));
    se.push_back(1);
    id.push_back(i);
    twice.push_back(i / 2);
    names.push_back("n" + std::to_string(i));
  }
  Table table("data.csv");
  table.add("y", y);
  table.add("se", se);
  table.add("id", id, names);
  table.add("twice", twice, names);
  TrainOptions options = of(Family::gaussian);
  options.steps = 100;
  const auto notes = [&](const std::string& formula) { return train(formula, table, options).notes; };
  EXPECT_THAT(notes("y ~ (1 | id)"), Contains(HasSubstr("group 'id' has a level for every row")));
  EXPECT_THAT(notes("y ~ (1 | twice)"), Not(Contains(HasSubstr("level for every row"))));
  EXPECT_THAT(notes("y | se(se) ~ (1 | id)"), Not(Contains(HasSubstr("level for every row"))));
}

TEST(Notes, GroupsThatDivideTheRowsAlike) {
  std::vector<float> y, x;
  std::vector<std::int32_t> g, renamed, coarser;
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) {
    y.push_back(static_cast<float>(i % 7) + 0.1F * static_cast<float>(i % 11));
    x.push_back(static_cast<float>(i % 5));
    g.push_back(i % 6);
    renamed.push_back((i % 6 * 5 + 2) % 6);
    coarser.push_back(i % 6 / 2);
  }
  for (int j = 0; j < 6; ++j) names.push_back("n" + std::to_string(j));
  Table table("data.csv");
  table.add("y", y);
  table.add("x", x);
  table.add("g", g, names);
  table.add("renamed", renamed, names);
  table.add("coarser", coarser, {"a", "b", "c"});
  TrainOptions options = of(Family::gaussian);
  options.steps = 100;
  const auto notes = [&](const std::string& formula) { return train(formula, table, options).notes; };
  const auto alike = Contains(HasSubstr("groups 'g' and 'renamed' divide the rows alike"));
  EXPECT_THAT(notes("y ~ (1 | g) + (1 | coarser) + (1 | renamed)"), alike);
  EXPECT_THAT(notes("y ~ (1 | g) + (1 | coarser)"), Not(Contains(HasSubstr("alike"))));
  EXPECT_THAT(notes("y ~ (0 + x | g) + (1 | renamed)"), Not(Contains(HasSubstr("alike"))));  // of other columns
}

TEST(Notes, AResponseThatTheColumnsGiveAway) {
  Rows rows;
  Table table = rows.table();
  std::vector<double> copy, nearly;
  for (std::size_t i = 0; i < rows.x.size(); ++i) {
    copy.push_back(1 + 2 * rows.x[i]);
    nearly.push_back(copy[i] + 0.01 * rows.y[i]);
  }
  table.add("copy", copy);
  table.add("nearly", nearly);
  const auto notes = [&](const std::string& formula) {
    TrainOptions options = of(Family::gaussian);
    options.steps = 1;
    return train(formula, table, options).notes;
  };
  EXPECT_THAT(notes("copy ~ x"), Contains(HasSubstr("nothing is left for sigma")));
  EXPECT_THAT(notes("nearly ~ x"), Not(Contains(HasSubstr("nothing is left for sigma"))));
}

TEST(Notes, ADefaultPriorThatOutweighsTheData) {
  const auto notes = [](double spread, const std::vector<std::string>& priors) {
    std::vector<double> y, x;
    for (int i = 0; i < 400; ++i) {
      x.push_back(i % 7);
      y.push_back(std::exp(0.1 * x.back() + spread * std::sin(i * i)));
    }
    Table table("data.csv");
    table.add("y", y);
    table.add("x", x);
    TrainOptions options = of(Family::gamma, priors);
    options.steps = 1;
    return train("y ~ x", table, options).notes;
  };
  const auto outweighed = Contains(HasSubstr("shape ~ gamma(2, 0.1) keeps shape below what the data say"));
  EXPECT_THAT(notes(0.02, {}), outweighed);
  EXPECT_THAT(notes(0.4, {}), Not(outweighed));
  EXPECT_THAT(notes(0.02, {"shape ~ gamma(2, 0.1)"}), Not(outweighed));
}

TEST(Notes, WeightsThatAreAllZero) {
  Rows rows;
  Table table = rows.table();
  const std::vector<double> none(12, 0.0);
  table.add("none", none);
  table.add("some", rows.mixed);
  const auto notes = [&](const std::string& formula) { return train(formula, table, of(Family::gaussian)).notes; };
  EXPECT_THAT(notes("y | weights(none) ~ x"), Contains(HasSubstr("every weight is 0")));
  EXPECT_THAT(notes("y | weights(some) ~ x"),
              AllOf(Not(Contains(HasSubstr("every weight is 0"))), Contains(HasSubstr("6 of 12 weights are 0"))));
}

TEST(Notes, TheOrderOfCategoriesThatAreText) {
  Rows rows;
  Table table = rows.table();
  const std::vector<std::int32_t> code{0, 1, 2, 0, 1, 2, 2, 1, 0, 0, 1, 2};
  table.add("words", code, {"low", "medium", "high"});
  table.add("numbered", code, {"1 low", "2 medium", "3 high"});
  const auto notes = [&](const std::string& formula, Family family) { return train(formula, table, of(family)).notes; };
  EXPECT_THAT(notes("words ~ x", Family::cumulative), Contains(HasSubstr("ordered 'high' < 'low' < 'medium'")));
  EXPECT_THAT(notes("numbered ~ x", Family::cumulative), Not(Contains(HasSubstr("ordered"))));
  EXPECT_THAT(notes("words ~ x", Family::categorical), Not(Contains(HasSubstr("ordered"))));
}

TEST(Notes, LevelsThatDifferInBlanks) {
  Rows rows;
  Table table = rows.table();
  const std::vector<std::int32_t> code{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2};
  table.add("blank", code, {"a", "a ", "b"});
  const auto notes = [&](const std::string& formula) { return train(formula, table, of(Family::gaussian)).notes; };
  const auto twins = Contains(HasSubstr("'a' and 'a ' are two levels of 'blank'"));
  EXPECT_THAT(notes("y ~ blank"), twins);
  EXPECT_THAT(notes("y ~ (1 | blank)"), twins);
  table.add("more", code, {"a", "a ", "\ta"});
  EXPECT_THAT(notes("y ~ more"), Contains(HasSubstr("; and so do 1 more")));
  EXPECT_THAT(notes("y ~ f + (1 | group)"), Not(Contains(HasSubstr("blanks"))));
}

TEST(Notes, HardlyMoreRowsThanCoefficients) {
  const Rows rows;
  const Table table = rows.table();
  const auto notes = [&](const std::string& formula, Family family) {
    return train(formula, table, of(family, {"b ~ normal(0, 1)"})).notes;
  };
  EXPECT_THAT(notes("y ~ x * f", Family::gaussian),
              Contains(HasSubstr("12 rows for 6 coefficients leave little to see sigma by: its sd will be about 1.4")));
  EXPECT_THAT(notes("y ~ x * f * group", Family::student_t), Contains(HasSubstr("the priors alone tell it")));
  EXPECT_THAT(notes("y ~ x", Family::gaussian), Not(Contains(HasSubstr("coefficients leave"))));
  EXPECT_THAT(notes("mixed ~ x * f", Family::bernoulli), Not(Contains(HasSubstr("coefficients leave"))));
}

// --- Separation: trained all the same, since the priors are proper, with a note.

class Separation : public ::testing::Test {
 protected:
  std::vector<std::string> notes(const std::string& formula, Family family = Family::bernoulli) const {
    const Fit fit = train(formula, table_, of(family));
    for (const ParameterSummary& s : fit.summarize()) EXPECT_TRUE(std::isfinite(s.mean) && s.sd > 0) << s.name;
    return fit.notes;
  }
  Rows rows_;
  Table table_ = rows_.table();
};

TEST_F(Separation, NoneIsNoNote) {
  for (const char* formula : {"mixed ~ x", "mixed ~ f", "mixed ~ x + f", "mixed ~ 1", "mixed ~ x + (1 | f)"}) {
    EXPECT_THAT(notes(formula), Not(Contains(HasSubstr("separat")))) << formula;
  }
  EXPECT_THAT(notes("y ~ x", Family::gaussian), Not(Contains(HasSubstr("separat"))));
}

TEST_F(Separation, CompleteByOneColumn) {
  for (const char* formula : {"above ~ x", "above ~ x + f", "above ~ 0 + x", "above ~ x + offset(y)"}) {
    EXPECT_THAT(notes(formula), Contains(HasSubstr("separate the responses completely"))) << formula;
  }
}

// An offset alone that classifies every row is no separation: its coefficient is known.
TEST_F(Separation, NotByAnOffset) {
  EXPECT_THAT(notes("above ~ f + offset(20 * x)"), Not(Contains(HasSubstr("completely"))));
}

TEST_F(Separation, QuasiByALevelOfAFactor) {
  std::vector<double> last = rows_.mixed, first = rows_.mixed;
  for (std::size_t i = 8; i < 12; ++i) last[i] = 1;
  for (std::size_t i = 0; i < 4; ++i) first[i] = 0;
  table_.add("last", last);
  table_.add("first", first);
  EXPECT_THAT(notes("last ~ f"), Contains(HasSubstr("no failure where 'fc' is 1 (quasi-separation)")));
  EXPECT_THAT(notes("last ~ x + f"), Contains(HasSubstr("'fc' is 1")));
  EXPECT_THAT(notes("last ~ 0 + f"), Contains(HasSubstr("'fc' is 1")));
  EXPECT_THAT(notes("first ~ f"), Contains(HasSubstr("no success where 'fa' is 1")));  // the reference level
}

TEST_F(Separation, QuasiByTheZerosOfAColumn) {
  std::vector<double> treated(12), cured(12);
  for (std::size_t i = 6; i < 12; ++i) treated[i] = 1, cured[i] = static_cast<double>(i % 2);
  table_.add("treated", treated);
  table_.add("cured", cured);
  EXPECT_THAT(notes("cured ~ treated"), Contains(HasSubstr("no success where 'treated' is 0")));
  // Without an intercept the rows where the column is 0 have probability 1/2 whatever its coefficient is.
  EXPECT_THAT(notes("cured ~ 0 + treated"), Not(Contains(HasSubstr("separat"))));
}

TEST_F(Separation, QuasiByAColumnThatIsMostlyZero) {
  std::vector<double> response = rows_.mixed;
  response[2] = 0;
  table_.add("response", response);
  EXPECT_THAT(notes("response ~ dose"), Contains(HasSubstr("no success where 'dose' is not 0")));
  EXPECT_THAT(notes("mixed ~ dose"), Not(Contains(HasSubstr("separat"))));
}

TEST_F(Separation, OfCountsThatMayBeZeroByThemselves) {
  std::vector<double> count(12);
  for (std::size_t i = 0; i < 12; ++i) count[i] = rows_.f[i] == 2 ? 0 : static_cast<double>(i % 3);
  table_.add("count", count);
  for (const Family family : {Family::zero_inflated_poisson, Family::hurdle_poisson}) {
    EXPECT_THAT(notes("count ~ f", family), Contains(HasSubstr("no count above 0 where 'fc' is 1")));
    EXPECT_THAT(notes("count ~ x", family), Not(Contains(HasSubstr("count above 0"))));
  }
}

TEST_F(Separation, OfTimesByCensoring) {
  std::vector<double> time(12), late(12), all(12, 1);
  for (std::size_t i = 0; i < 12; ++i) {
    time[i] = 1 + 0.25 * static_cast<double>(i % 5);
    late[i] = rows_.f[i] == 2 || i == 0 ? 1 : 0;
  }
  table_.add("time", time);
  table_.add("late", late);
  table_.add("all", all);
  for (const Family family : {Family::exponential, Family::weibull}) {
    EXPECT_THAT(notes("time | cens(late) ~ f", family),
                Contains(HasSubstr("no time that is not censored where 'fc' is 1")));
    EXPECT_THAT(notes("time | cens(late) ~ x", family), Not(Contains(HasSubstr("separat"))));
  }
  EXPECT_THAT(notes("time | cens(all) ~ x", Family::exponential), Contains(HasSubstr("all times are censored")));
}

TEST_F(Separation, OfCountsOutOfTrials) {
  std::vector<double> count(12);
  for (std::size_t i = 0; i < 12; ++i) count[i] = rows_.f[i] == 2 ? 4 : static_cast<double>(1 + i % 3);
  table_.add("count", count);
  EXPECT_THAT(notes("count | trials(trials) ~ x + f", Family::binomial),
              Contains(HasSubstr("no failure where 'fc' is 1")));
  EXPECT_THAT(notes("count | trials(trials) ~ x", Family::binomial), Not(Contains(HasSubstr("separat"))));
}

TEST_F(Separation, OfCountsThatAreAllZero) {
  std::vector<double> count(12);
  for (std::size_t i = 0; i < 12; ++i) count[i] = rows_.f[i] == 2 ? 0 : static_cast<double>(i % 3);
  table_.add("count", count);
  for (const Family family : {Family::poisson, Family::negative_binomial}) {
    EXPECT_THAT(notes("count ~ f", family), Contains(HasSubstr("no count above 0 where 'fc' is 1")));
    EXPECT_THAT(notes("count ~ x", family), Not(Contains(HasSubstr("separat"))));
  }
}

}  // namespace
}  // namespace jensen
