/// \file Logistic regression on real flights against the maximum-likelihood fit by Newton's method, which is written
/// here from the columns themselves. The default priors are so wide that the posterior is normal about that maximum to
/// far less than the tolerances: the issue is whether stochastic steps on minibatches get there.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include "jensen/io.hpp"
#include "jensen/jensen.hpp"

namespace jensen {
namespace {

struct MaximumLikelihood {
  std::vector<double> estimate, sd;
};

/// Rows x C in double; y 0 or 1.
MaximumLikelihood newton_logistic(const std::vector<double>& x, const std::vector<double>& y, std::size_t c) {
  MaximumLikelihood fit{std::vector<double>(c), std::vector<double>(c)};
  for (int iteration = 0; iteration < 25; ++iteration) {
    std::vector<double> gradient(c), h(c * c);
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double* row = x.data() + i * c;
      double eta = 0;
      for (std::size_t j = 0; j < c; ++j) eta += row[j] * fit.estimate[j];
      const double p = 1 / (1 + std::exp(-eta));
      for (std::size_t j = 0; j < c; ++j) {
        gradient[j] += row[j] * (y[i] - p);
        const double w = row[j] * p * (1 - p);
        if (w == 0) continue;
        for (std::size_t k = 0; k < c; ++k) h[j * c + k] += w * row[k];
      }
    }
    // Gauss-Jordan on [h | gradient | I]: h is scaled to a unit diagonal first.
    std::vector<double> scale(c), inverse(c * c);
    for (std::size_t j = 0; j < c; ++j) scale[j] = 1 / std::sqrt(h[j * c + j]);
    for (std::size_t j = 0; j < c; ++j) {
      for (std::size_t k = 0; k < c; ++k) h[j * c + k] *= scale[j] * scale[k];
      inverse[j * c + j] = 1;
    }
    for (std::size_t p = 0; p < c; ++p) {
      const double pivot = h[p * c + p];
      for (std::size_t k = 0; k < c; ++k) h[p * c + k] /= pivot, inverse[p * c + k] /= pivot;
      for (std::size_t i = 0; i < c; ++i) {
        const double factor = h[i * c + p];
        if (i == p || factor == 0) continue;
        for (std::size_t k = 0; k < c; ++k)
          h[i * c + k] -= factor * h[p * c + k], inverse[i * c + k] -= factor * inverse[p * c + k];
      }
    }
    double moved = 0;
    for (std::size_t j = 0; j < c; ++j) {
      double step = 0;
      for (std::size_t k = 0; k < c; ++k) step += scale[j] * inverse[j * c + k] * scale[k] * gradient[k];
      fit.estimate[j] += step;
      fit.sd[j] = scale[j] * std::sqrt(inverse[j * c + j]);
      moved = std::max(moved, std::abs(step) / fit.sd[j]);
    }
    if (moved < 1e-8) return fit;
  }
  ADD_FAILURE() << "Newton's method did not converge";
  return fit;
}

/// One-hot columns of a text or numeric column without its first level, by level.
std::map<std::string, std::vector<double>> indicators(const Column& column) {
  std::map<std::string, std::vector<double>> out;
  std::set<double> values;
  if (column.text) {
    std::vector<std::string> sorted = column.levels;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t l = 1; l < sorted.size(); ++l) {
      auto& x = out[sorted[l]];
      for (const std::int32_t code : column.codes)
        x.push_back(column.levels[static_cast<std::size_t>(code)] == sorted[l] ? 1 : 0);
    }
  } else {
    for (std::size_t i = 0; i < column.rows(); ++i) values.insert(column.number(i));
    values.erase(values.begin());
    for (const double value : values) {
      auto& x = out[std::to_string(static_cast<int>(value))];
      for (std::size_t i = 0; i < column.rows(); ++i) x.push_back(column.number(i) == value ? 1 : 0);
    }
  }
  return out;
}

void compare(const Table& table, const std::string& response) {
  std::vector<std::pair<std::string, std::vector<double>>> design;
  design.emplace_back("b_Intercept", std::vector<double>(table.rows(), 1.0));
  for (const char* name : {"hour", "distance"}) {
    auto& x = design.emplace_back(std::string("b_") + name, std::vector<double>()).second;
    for (std::size_t i = 0; i < table.rows(); ++i) x.push_back(table.at(name).number(i));
  }
  for (const char* name : {"carrier", "origin", "month"}) {
    for (auto& [level, x] : indicators(table.at(name))) {
      design.emplace_back((std::string("b_") + (std::string(name) == "month" ? "factor" : "") + name).append(level), x);
    }
  }
  const std::size_t c = design.size();
  std::vector<double> x(table.rows() * c), y;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    for (std::size_t j = 0; j < c; ++j) x[i * c + j] = design[j].second[i];
    y.push_back(table.at(response).number(i));
  }
  const MaximumLikelihood expected = newton_logistic(x, y, c);

  TrainOptions options;
  options.family = Family::bernoulli;
  const Fit fit = train(response + " ~ hour + distance + carrier + origin + factor(month)", table, options);
  EXPECT_TRUE(fit.verdict.converged) << fit.verdict.message;
  const auto summary = fit.summarize();
  ASSERT_EQ(summary.size(), c);
  double worst_mean = 0, worst_sd = 0;
  for (std::size_t j = 0; j < c; ++j) {
    const auto found =
        std::find_if(summary.begin(), summary.end(), [&](const auto& s) { return s.name == design[j].first; });
    ASSERT_NE(found, summary.end()) << design[j].first;
    const double error = std::abs(found->mean - expected.estimate[j]) / expected.sd[j];
    const double ratio = found->sd / expected.sd[j];
    EXPECT_LT(error, 0.1) << design[j].first;
    EXPECT_NEAR(ratio, 1, 0.1) << design[j].first;
    worst_mean = std::max(worst_mean, error);
    worst_sd = std::max(worst_sd, std::abs(ratio - 1));
  }
  std::cout << table.rows() << " flights, " << c << " coefficients: worst mean error " << worst_mean
            << " sd, worst sd error " << 100 * worst_sd << " %; " << fit.steps << " steps of " << fit.options.batch
            << " rows in " << fit.seconds << " s, " << fit.rows_per_second << " rows/s; " << fit.verdict.message
            << '\n';
}

TEST(Flights, SubsetAgreesWithMaximumLikelihood) {
  compare(read_csv(std::string(JENSEN_SOURCE_DIR) + "/examples/data/flights.csv.gz"), "late");
}

TEST(Flights, AllAgreeWithMaximumLikelihood) {
  const std::filesystem::path path = std::filesystem::path(JENSEN_EXTRA_DATA) / "data/nycflights2017/flights.csv.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << ": set JENSEN_EXTRA_DATA";
  CsvOptions csv;
  csv.columns = {"arr_delay", "hour", "distance", "carrier", "origin", "month"};
  const Table all = read_csv(path, csv);

  // Rows with an arrival delay, and the response made of it.
  std::vector<double> late, hour, distance, month;
  std::vector<std::int32_t> carrier, origin;
  for (std::size_t i = 0; i < all.rows(); ++i) {
    const double delay = all.at("arr_delay").number(i);
    if (std::isnan(delay)) continue;
    late.push_back(delay > 15 ? 1 : 0);
    hour.push_back(all.at("hour").number(i));
    distance.push_back(all.at("distance").number(i));
    month.push_back(all.at("month").number(i));
    carrier.push_back(all.at("carrier").codes[i]);
    origin.push_back(all.at("origin").codes[i]);
  }
  Table table("flights");
  table.add("late", late);
  table.add("hour", hour);
  table.add("distance", distance);
  table.add("month", month);
  table.add("carrier", carrier, all.at("carrier").levels);
  table.add("origin", origin, all.at("origin").levels);
  compare(table, "late");
}

}  // namespace
}  // namespace jensen
