/// \file Trained posteriors against published ones: the whole way from a CSV file, with default settings.

#include <iostream>

#include "jensen/io.hpp"
#include "jensen/jensen.hpp"
#include "posteriors.hpp"

namespace jensen {
namespace {

class ReferencePosterior : public ::testing::TestWithParam<std::string> {};

// The references are 10,000 draws, whose own error is 0.01 sd in a mean and 0.7 % in an sd: small beside the
// tolerances.
TEST_P(ReferencePosterior, FullrankAgrees) {
  const std::filesystem::path folder = std::filesystem::path(JENSEN_TEST_DATA) / "posteriors";
  const testing::Posterior p = testing::make_posterior(GetParam(), folder);
  const auto csv = std::filesystem::path(::testing::TempDir()) / (GetParam() + ".csv");
  testing::write_csv(p.columns, csv);

  TrainOptions options;
  options.guide = GuideKind::fullrank;
  for (const std::string& prior : p.priors) options.priors.push_back(parse_prior(prior));
  const Fit fit = train(p.formula, read_csv(csv), options);
  std::filesystem::remove(csv);

  EXPECT_TRUE(fit.verdict.converged) << fit.verdict.message;
  EXPECT_TRUE(fit.verdict.message.starts_with("converged: ")) << fit.verdict.message;  // no word about k-hat
  EXPECT_EQ(fit.verdict.nonfinite, 0);
  const auto reference = testing::read_json(folder / GetParam() / "reference_summary.json").at("params");
  const std::vector<ParameterSummary> summary = fit.summarize();
  ASSERT_EQ(summary.size(), p.reference_names.size());
  double worst_mean = 0, worst_sd = 0;
  for (std::size_t i = 0; i < summary.size(); ++i) {
    const auto& r = reference.at(p.reference_names[i]);
    const double sd = r.at("sd").get<double>();
    const double mean_error = (summary[i].mean - r.at("mean").get<double>()) / sd;
    const double sd_ratio = summary[i].sd / sd;
    EXPECT_LT(std::abs(mean_error), 0.1) << summary[i].name << " is " << p.reference_names[i];
    EXPECT_NEAR(sd_ratio, 1, 0.1) << summary[i].name << " is " << p.reference_names[i];
    worst_mean = std::max(worst_mean, std::abs(mean_error));
    worst_sd = std::max(worst_sd, std::abs(sd_ratio - 1));
  }
  std::cout << GetParam() << ": worst mean error " << worst_mean << " sd, worst sd error " << 100 * worst_sd << " %, "
            << fit.steps << " steps, " << fit.seconds << " s, ELBO " << fit.elbo << " +- " << fit.elbo_se << ", "
            << fit.verdict.message << '\n';
}

INSTANTIATE_TEST_SUITE_P(Published, ReferencePosterior,
                         ::testing::Values("kidiq-kidscore_momiq", "kidiq_with_mom_work-kidscore_interaction_z",
                                           "earnings-logearn_height", "mesquite-logmesquite_logvash", "nes1988-nes",
                                           "sblrc-blr", "diamonds-diamonds"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace jensen
