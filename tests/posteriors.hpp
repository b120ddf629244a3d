#pragma once
/// \file Published reference posteriors (tests/data/posteriors) as tables and formulas.

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace jensen::testing {

using Columns = std::vector<std::pair<std::string, std::vector<double>>>;

inline nlohmann::json read_json(const std::filesystem::path& path) {
  std::string text;
  const std::filesystem::path zipped = path.string() + ".gz";
  gzFile file = gzopen((std::filesystem::exists(path) ? path : zipped).c_str(), "rb");  // reads plain files too
  if (file == nullptr) throw std::runtime_error("cannot open " + path.string());
  char buffer[1 << 16];
  for (int n = 0; (n = gzread(file, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  gzclose(file);
  return nlohmann::json::parse(text);
}

/// One model of posteriordb as a formula on columns derived from its data, as its model.stan derives them. Hierarchical
/// ones are compared by a test of their own.
struct Posterior {
  std::string name;
  std::string formula;
  std::vector<std::string> priors;
  std::vector<std::string> reference_names;  ///< in the order of b_Intercept, the coefficients, sigma
  Columns columns;
};

inline std::vector<double> numbers(const nlohmann::json& data, const std::string& key) {
  return data.at(key).get<std::vector<double>>();
}
template <class F>
std::vector<double> map(const std::vector<double>& x, F f) {
  std::vector<double> y;
  for (const double v : x) y.push_back(f(v));
  return y;
}
template <class F>
std::vector<double> zip(const std::vector<double>& a, const std::vector<double>& b, F f) {
  std::vector<double> y;
  for (std::size_t i = 0; i < a.size(); ++i) y.push_back(f(a[i], b[i]));
  return y;
}
inline double mean_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}
/// (x - mean) / (2 sd), as Gelman & Hill standardise.
inline std::vector<double> standardised(const std::vector<double>& x) {
  const double m = mean_of(x);
  double squares = 0;
  for (const double v : x) squares += (v - m) * (v - m);
  const double sd = std::sqrt(squares / static_cast<double>(x.size() - 1));
  return map(x, [&](double v) { return (v - m) / (2 * sd); });
}
inline std::vector<std::string> betas(int count) {
  std::vector<std::string> names;
  for (int i = 1; i <= count; ++i) names.push_back("beta[" + std::to_string(i) + "]");
  names.emplace_back("sigma");
  return names;
}
inline std::string normal_prior(const std::string& target, double location, double scale) {
  std::ostringstream text;
  text.precision(17);
  text << target << " ~ normal(" << location << ", " << scale << ")";
  return text.str();
}
/// Columns x1, x2, .. of a matrix given by rows, from column `first` on, centred if asked.
inline void add_matrix(Columns& columns, const nlohmann::json& rows, std::size_t first, bool centred,
                       std::string& formula) {
  for (std::size_t j = first; j < rows.at(0).size(); ++j) {
    std::vector<double> x;
    for (const auto& row : rows) x.push_back(row.at(j).get<double>());
    const double m = centred ? mean_of(x) : 0;
    const std::string name = "x" + std::to_string(j - first + 1);
    columns.emplace_back(name, map(x, [&](double v) { return v - m; }));
    formula += " + " + name;
  }
}

inline Posterior make_posterior(const std::string& name, const std::filesystem::path& folder) {
  const nlohmann::json d = read_json(folder / name / "data.json");
  Posterior p{name, "", {"b ~ flat()", "Intercept ~ flat()", "sigma ~ flat()"}, {}, {}};
  if (name == "kidiq-kidscore_momiq") {
    p.formula = "kid_score ~ mom_iq";
    p.priors[2] = "sigma ~ half_cauchy(0, 2.5)";
    p.columns = {{"kid_score", numbers(d, "kid_score")}, {"mom_iq", numbers(d, "mom_iq")}};
    p.reference_names = betas(2);
  } else if (name == "kidiq_with_mom_work-kidscore_interaction_z") {
    p.formula = "kid_score ~ z_mom_hs * z_mom_iq";
    p.columns = {{"kid_score", numbers(d, "kid_score")},
                 {"z_mom_hs", standardised(numbers(d, "mom_hs"))},
                 {"z_mom_iq", standardised(numbers(d, "mom_iq"))}};
    p.reference_names = betas(4);
  } else if (name == "earnings-logearn_height") {
    p.formula = "log_earn ~ height";
    p.columns = {{"log_earn", map(numbers(d, "earn"), [](double v) { return std::log(v); })},
                 {"height", numbers(d, "height")}};
    p.reference_names = betas(2);
  } else if (name == "mesquite-logmesquite_logvash") {
    p.formula = "log_weight ~ volume + area + shape + total_height + group";
    const auto area = zip(numbers(d, "diam1"), numbers(d, "diam2"), [](double a, double b) { return std::log(a * b); });
    p.columns = {
        {"log_weight", map(numbers(d, "weight"), [](double v) { return std::log(v); })},
        {"volume", zip(area, numbers(d, "canopy_height"), [](double a, double h) { return a + std::log(h); })},
        {"area", area},
        {"shape", zip(numbers(d, "diam1"), numbers(d, "diam2"), [](double a, double b) { return std::log(a / b); })},
        {"total_height", map(numbers(d, "total_height"), [](double v) { return std::log(v); })},
        {"group", numbers(d, "group")}};
    p.reference_names = betas(6);
  } else if (name == "earnings-earn_height") {
    p.formula = "earn ~ height";
    p.columns = {{"earn", numbers(d, "earn")}, {"height", numbers(d, "height")}};
    p.reference_names = betas(2);
  } else if (name == "earnings-logearn_interaction") {
    p.formula = "log(earn) ~ height * male";
    p.columns = {{"earn", numbers(d, "earn")}, {"height", numbers(d, "height")}, {"male", numbers(d, "male")}};
    p.reference_names = betas(4);
  } else if (name == "kidiq-kidscore_interaction") {
    p.formula = "kid_score ~ mom_hs * mom_iq";
    p.priors[2] = "sigma ~ half_cauchy(0, 2.5)";
    p.columns = {
        {"kid_score", numbers(d, "kid_score")}, {"mom_hs", numbers(d, "mom_hs")}, {"mom_iq", numbers(d, "mom_iq")}};
    p.reference_names = betas(4);
  } else if (name == "kilpisjarvi_mod-kilpisjarvi") {
    p.formula = "y ~ x";
    p.priors = {normal_prior("Intercept", d.at("pmualpha"), d.at("psalpha")),
                normal_prior("b", d.at("pmubeta"), d.at("psbeta")), "sigma ~ flat()"};
    p.columns = {{"y", numbers(d, "y")}, {"x", numbers(d, "x")}};
    p.reference_names = {"alpha", "beta", "sigma"};
  } else if (name == "mesquite-mesquite") {
    p.formula = "weight ~ diam1 + diam2 + canopy_height + total_height + density + group";
    for (const char* key : {"weight", "diam1", "diam2", "canopy_height", "total_height", "density", "group"}) {
      p.columns.emplace_back(key, numbers(d, key));
    }
    p.reference_names = betas(7);
  } else if (name == "arK-arK") {
    p.formula = "y ~ 1";
    p.priors = {"b ~ normal(0, 10)", "Intercept ~ normal(0, 10)", "sigma ~ half_cauchy(0, 2.5)"};
    const std::vector<double> series = numbers(d, "y");
    const auto lags = d.at("K").get<std::ptrdiff_t>();
    p.reference_names = {"alpha"};
    for (std::ptrdiff_t k = 0; k <= lags; ++k) {  // column k: the series k steps ago
      const std::string lag = "lag" + std::to_string(k);
      p.columns.emplace_back(k == 0 ? "y" : lag, std::vector(series.begin() + lags - k, series.end() - k));
      if (k == 0) continue;
      p.formula += " + " + lag;
      p.reference_names.push_back("beta[" + std::to_string(k) + "]");
    }
    p.reference_names.emplace_back("sigma");
  } else if (name == "nes1972-nes" || name == "nes1988-nes") {
    p.formula = "partyid7 ~ real_ideo + race_adj + factor(age_discrete) + educ1 + gender + income";
    for (const char* key : {"partyid7", "real_ideo", "race_adj", "age_discrete", "educ1", "gender", "income"}) {
      p.columns.emplace_back(key, numbers(d, key));
    }
    p.reference_names = betas(9);
  } else if (name == "sblrc-blr") {
    p.formula = "y ~ 0";
    p.columns = {{"y", numbers(d, "y")}};
    add_matrix(p.columns, d.at("X"), 0, false, p.formula);
    p.priors = {"b ~ normal(0, 10)", "sigma ~ half_normal(0, 10)"};
    p.reference_names = betas(5);
  } else if (name == "diamonds-diamonds") {
    p.formula = "Y ~ 1";
    p.columns = {{"Y", numbers(d, "Y")}};
    add_matrix(p.columns, d.at("X"), 1, true, p.formula);  // model.stan centres the columns
    p.priors = {"b ~ normal(0, 1)", "Intercept ~ student_t(3, 8, 10)", "sigma ~ half_student_t(3, 0, 10)"};
    p.reference_names = {"Intercept"};
    for (int i = 1; i <= 24; ++i) p.reference_names.push_back("b[" + std::to_string(i) + "]");
    p.reference_names.emplace_back("sigma");
  } else {
    throw std::runtime_error("unknown posterior " + name);
  }
  return p;
}

/// Writes the columns as a CSV file that reads back to the same doubles.
inline void write_csv(const Columns& columns, const std::filesystem::path& path) {
  std::ofstream out(path);
  out.precision(17);
  for (std::size_t j = 0; j < columns.size(); ++j) out << (j == 0 ? "" : ",") << columns[j].first;
  out << '\n';
  for (std::size_t i = 0; i < columns[0].second.size(); ++i) {
    for (std::size_t j = 0; j < columns.size(); ++j) out << (j == 0 ? "" : ",") << columns[j].second[i];
    out << '\n';
  }
}

}  // namespace jensen::testing
