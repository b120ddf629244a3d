/// \file How exact the GPU's data term is, played on the host: the figures of docs/performance.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "data_term_play.hpp"
#include "model/linear_algebra.hpp"

namespace jensen {
namespace {

constexpr int columns = 28, samples = 8;

/// A term over floats and where it is evaluated.
struct Problem {
  std::vector<float> x, offset, y, z;
  int rows() const { return static_cast<int>(y.size()); }

  /// The gradient at each sample, of the same floats, in double.
  std::vector<double> gradient() const {
    std::vector<double> g(static_cast<std::size_t>(samples) * columns);
    for (int i = 0; i < rows(); ++i) {
      const float* row = &x[static_cast<std::size_t>(i) * columns];
      for (int s = 0; s < samples; ++s) {
        double eta = static_cast<double>(offset[static_cast<std::size_t>(i)]);
        for (int k = 0; k < columns; ++k) {
          eta += static_cast<double>(row[k]) * static_cast<double>(z[static_cast<std::size_t>(s * columns + k)]);
        }
        const double d = static_cast<double>(y[static_cast<std::size_t>(i)]) - 1 / (1 + std::exp(-eta));
        for (int k = 0; k < columns; ++k) {
          g[static_cast<std::size_t>(s * columns + k)] += d * static_cast<double>(row[k]);
        }
      }
    }
    return g;
  }

  std::vector<double> by_tiles(bool split, Storage storage = Storage::float32) const {
    Term term;
    term.density = DensityKind::bernoulli_logit;
    term.rows = rows();
    term.constants[0] = y.data();
    term.arguments[0].part_count = 1;
    term.arguments[0].parts[0] = {PartKind::dense, 0, columns, 1, x.data()};
    term.arguments[0].offset = offset.data();
    Halves halves;
    if (storage != Storage::float32) {
      Part& part = term.arguments[0].parts[0];
      halves = to_halves(x, columns, storage);
      part.halves = halves.values.data();
      part.scale = halves.scale;
      part.storage = storage;
    }
    const BlockPlan blocks{rows(), 1};
    std::vector<double> sums(static_cast<std::size_t>(samples) * (1 + columns)), g;
    DataTermWork work =
        data_term_work(term, {nullptr, rows()}, blocks, z.data(), columns, {sums.data(), samples, columns},
                       tile_plan(term, samples, rows(), testing::hopper));
    work.split = split;
    testing::play(work, 1);
    for (int s = 0; s < samples; ++s) {
      const auto row = sums.begin() + s * (1 + columns);
      g.insert(g.end(), row + 1, row + 1 + columns);
    }
    return g;
  }
};

/// |a - b| / |b| of the worst sample.
double error(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0;
  for (std::size_t s = 0; s < samples; ++s) {
    double off = 0, size = 0;
    for (std::size_t k = s * columns; k < (s + 1) * columns; ++k) {
      off += (a[k] - b[k]) * (a[k] - b[k]);
      size += b[k] * b[k];
    }
    worst = std::max(worst, std::sqrt(off / size));
  }
  return worst;
}

/// A logistic regression of `rows` rows at draws of its posterior, whose gradients are the small remainder of sums that
/// cancel; in the columns as they are, and whitened, as Jensen trains (docs/adr/0002-whitened-latents.md).
struct Logistic {
  Problem far, raw, whitened;

  explicit Logistic(int rows) {
    std::mt19937 random(5);
    std::normal_distribution<double> normal;
    std::vector<double> truth(columns), mode(columns);
    for (double& t : truth) t = normal(random);
    for (int i = 0; i < rows; ++i) {
      const double common = normal(random);
      double eta = 0;
      for (std::size_t k = 0; k < columns; ++k) {
        far.x.push_back(static_cast<float>(0.6 * normal(random) + 0.3 * common + (k == 3 ? 2 : 0)));
        eta += static_cast<double>(far.x.back()) * truth[k];
      }
      far.y.push_back(std::uniform_real_distribution<double>()(random) < 1 / (1 + std::exp(-eta)) ? 1.0F : 0.0F);
    }
    far.offset.assign(far.y.size(), 0);
    raw = whitened = far;

    Matrix inverse;  // of the Cholesky factor of the Hessian at the mode
    for (int step = 0; step < 12; ++step) {
      Matrix hessian(columns, columns);
      std::vector<double> g(columns);
      for (std::size_t i = 0; i < far.y.size(); ++i) {
        const float* row = &far.x[i * columns];
        double eta = 0;
        for (std::size_t k = 0; k < columns; ++k) eta += static_cast<double>(row[k]) * mode[k];
        const double p = 1 / (1 + std::exp(-eta));
        for (std::size_t k = 0; k < columns; ++k) {
          g[k] += (static_cast<double>(far.y[i]) - p) * static_cast<double>(row[k]);
          for (std::size_t l = 0; l < columns; ++l) {
            hessian(k, l) += p * (1 - p) * static_cast<double>(row[k]) * static_cast<double>(row[l]);
          }
        }
      }
      const Cholesky factor = cholesky(hessian, 1e-12);
      const std::vector<double> move = solve(factor.upper, g);
      for (std::size_t k = 0; k < columns; ++k) mode[k] += move[k];
      inverse = inverse_upper(factor.upper);
    }

    for (int s = 0; s < samples; ++s) {
      std::vector<double> w(columns);
      for (double& v : w) v = normal(random);
      const std::vector<double> step = inverse * w;
      for (std::size_t k = 0; k < columns; ++k) {
        far.z.push_back(static_cast<float>(normal(random)));
        raw.z.push_back(static_cast<float>(mode[k] + step[k]));
        whitened.z.push_back(static_cast<float>(w[k]));
      }
    }
    for (std::size_t i = 0; i < far.y.size(); ++i) {
      double eta = 0;
      for (std::size_t k = 0; k < columns; ++k) {
        eta += static_cast<double>(far.x[i * columns + k]) * mode[k];
        double sum = 0;
        for (std::size_t l = 0; l <= k; ++l) sum += static_cast<double>(far.x[i * columns + l]) * inverse(l, k);
        whitened.x[i * columns + k] = static_cast<float>(sum);
      }
      whitened.offset[i] = static_cast<float>(eta);
    }
  }
};

/// The figures of docs/performance.md are what this prints.
void report(const char* what, int rows, double value) { std::printf("%-40s %6d rows: %.1e\n", what, rows, value); }

class DataTermPrecision : public ::testing::TestWithParam<int> {
 protected:
  const Logistic model{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Of, DataTermPrecision, ::testing::Values(2000, 20000));

// A gradient of the posterior's size is 1 / sqrt(rows) of the sum that it is left over from: float's rounding of the
// latent alone moves it by 2^-24 sqrt(rows) of itself or so, times the latent's size and the columns' correlation.
TEST_P(DataTermPrecision, SplitProductsAreThoseOfFloat) {
  for (const auto& [name, problem] :
       {std::pair{"fp32, far from the mode", &model.far}, std::pair{"fp32, posterior draws", &model.raw},
        std::pair{"fp32, posterior draws, whitened", &model.whitened}}) {
    const double off = error(problem->by_tiles(true), problem->gradient());
    report(name, GetParam(), off);
    EXPECT_LT(off, 1e-4) << name;
  }
}

// TF32 rounds the latent by 2^-11. In whitened coordinates that is a small part of a posterior sd, in others not.
TEST_P(DataTermPrecision, Tf32DependsOnTheCoordinates) {
  const double far = error(model.far.by_tiles(false), model.far.gradient());
  const double raw = error(model.raw.by_tiles(false), model.raw.gradient());
  const double whitened = error(model.whitened.by_tiles(false), model.whitened.gradient());
  report("tf32, far from the mode", GetParam(), far);
  report("tf32, posterior draws", GetParam(), raw);
  report("tf32, posterior draws, whitened", GetParam(), whitened);
  EXPECT_LT(far, 1e-3);
  EXPECT_GT(raw, 1e-3) << "were it less, TF32 could be the default";
  EXPECT_LT(whitened, 1e-3);
}

// A table in 16 bits is another table: its gradient differs by what its columns were rounded by, at random from row to
// row, so by a fixed part of the posterior's sd: 2^-11 or 2^-8 of the size of the predictor that is left in X.
TEST_P(DataTermPrecision, HalvesMoveThePosteriorByTheirRounding) {
  for (const auto& [name, problem] :
       {std::pair{"posterior draws", &model.raw}, std::pair{"posterior draws, whitened", &model.whitened}}) {
    const double half = error(problem->by_tiles(true, Storage::float16), problem->gradient());
    const double bfloat = error(problem->by_tiles(true, Storage::bfloat16), problem->gradient());
    report((std::string("float16, ") + name).c_str(), GetParam(), half);
    report((std::string("bfloat16, ") + name).c_str(), GetParam(), bfloat);
    EXPECT_LT(half, 4 * 0x1p-11);
    EXPECT_LT(bfloat, 4 * 0x1p-8);
  }
  EXPECT_LT(error(model.whitened.by_tiles(true, Storage::float16), model.whitened.gradient()), 1e-3);
}

}  // namespace
}  // namespace jensen
