#include "model/thin_problem.hpp"

#include <algorithm>

#include "model/fixed_blocks.hpp"
#include "noise.hpp"

namespace jensen {
namespace {

constexpr std::int64_t rows_at_once = 64;  // rows of a design at a time

/// [0, 1), the row's own.
double uniform(std::int64_t row) {
  const auto i = static_cast<std::uint64_t>(row);
  const Words words = philox({{static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32U), 0, 0}}, 0);
  return static_cast<double>(words.w[0]) * 0x1p-32;
}

/// Sums over rows of a column about `origin`, its first value.
struct ColumnSums {
  double origin = 0, first = 0, second = 0;
};

/// What has columns: the response, or the design of a feed. f(i, values of its K columns in row i) for begin <= i <
/// end.
struct Columns {
  std::size_t count = 0;
  const double* response = nullptr;
  const ModeBlock::Feed* feed = nullptr;

  template <class F>
  void for_rows(std::int64_t begin, std::int64_t end, F&& f) const {
    if (feed == nullptr) {
      for (std::int64_t i = begin; i < end; ++i) f(i, response + i);
      return;
    }
    std::vector<double> buffer(size_of(rows_at_once) * count);
    for (std::int64_t first = begin; first < end; first += rows_at_once) {
      const std::int64_t rows = std::min(rows_at_once, end - first);
      feed->fill(first, rows, buffer.data());
      for (std::int64_t r = 0; r < rows; ++r) f(first + r, buffer.data() + size_of(r) * count);
    }
  }
};

std::vector<Columns> all_columns(const ModeProblem& problem) {
  std::vector<Columns> all;
  if (problem.constants[0] != nullptr) all.push_back({1, problem.constants[0], nullptr});
  for (const ModeBlock& block : problem.blocks) {
    for (const ModeBlock::Feed& feed : block.feeds) {
      if (!block.columns.empty()) all.push_back({block.columns.size(), nullptr, &feed});
    }
  }
  return all;
}

double weight(const ModeProblem& problem, std::int64_t i) {
  return problem.weights == nullptr ? 1.0 : problem.weights[i];
}

std::vector<ColumnSums> sums_of(const ModeProblem& problem, const Columns& columns) {
  std::vector<ColumnSums> sums(columns.count);
  columns.for_rows(0, 1, [&](std::int64_t, const double* x) {
    for (std::size_t k = 0; k < columns.count; ++k) sums[k].origin = x[k];
  });
  std::vector<std::vector<ColumnSums>> partial(usual_blocks, sums);
  for_fixed_blocks(problem.rows, usual_blocks, [&](int b, std::int64_t begin, std::int64_t end) {
    std::vector<ColumnSums>& own = partial[size_of(b)];
    columns.for_rows(begin, end, [&](std::int64_t i, const double* x) {
      const double w = weight(problem, i);
      for (std::size_t k = 0; k < columns.count; ++k) {
        const double from_origin = x[k] - own[k].origin;
        own[k].first += w * from_origin;
        own[k].second += w * from_origin * from_origin;
      }
    });
  });
  for (const std::vector<ColumnSums>& own : partial) {
    for (std::size_t k = 0; k < columns.count; ++k) {
      sums[k].first += own[k].first;
      sums[k].second += own[k].second;
    }
  }
  return sums;
}

/// n w_i (1 / (2 sum_j w_j) + ..): the chances before they are cut at 1.
std::vector<double> chances(const ModeProblem& problem, double n) {
  const double total = sum_fixed_blocks(problem.rows, [&](std::int64_t i) { return weight(problem, i); });
  std::vector<double> share(size_of(problem.rows));  // sum_k (x_ik - m_k)^2 / sum_j w_j (x_jk - m_k)^2
  double varying = 0;                                // K
  for (const Columns& columns : all_columns(problem)) {
    std::vector<double> mean, inverse;  // of the sum of squares; 0 where the column is constant
    for (const ColumnSums& s : sums_of(problem, columns)) {
      const double squares = s.second - s.first * s.first / total;
      const bool varies = squares > 1e-9 * s.second;
      mean.push_back(s.origin + s.first / total);
      inverse.push_back(varies ? 1 / squares : 0);
      varying += varies ? 1 : 0;
    }
    for_fixed_blocks(problem.rows, usual_blocks, [&](int, std::int64_t begin, std::int64_t end) {
      columns.for_rows(begin, end, [&](std::int64_t i, const double* x) {
        for (std::size_t k = 0; k < columns.count; ++k) {
          share[size_of(i)] += inverse[k] * (x[k] - mean[k]) * (x[k] - mean[k]);
        }
      });
    });
  }
  for (std::int64_t i = 0; i < problem.rows; ++i) {
    double& chance = share[size_of(i)];
    chance = n * weight(problem, i) * (0.5 / total + 0.5 / std::max(varying, 1.0) * chance);
  }
  return share;
}

}  // namespace

ThinProblem::ThinProblem(const ModeProblem& of, std::int64_t n) : problem_(of) {
  const std::vector<double> chance = chances(of, static_cast<double>(n));
  for (std::int64_t i = 0; i < of.rows; ++i) {
    if (!(uniform(i) < chance[size_of(i)])) continue;
    at_.push_back(i);
    weights_.push_back(weight(of, i) / std::min(chance[size_of(i)], 1.0));
  }
  problem_.rows = static_cast<std::int64_t>(at_.size());
  problem_.weights = weights_.data();
  const auto thinned = [&](const double* all) -> const double* {
    if (all == nullptr) return nullptr;
    std::vector<double>& some = numbers_.emplace_back();
    for (const std::int64_t i : at_) some.push_back(all[i]);
    return some.data();
  };
  for (const double*& constant : problem_.constants) constant = thinned(constant);
  for (const double*& offset : problem_.offsets) offset = thinned(offset);
  for (ModeBlock& block : problem_.blocks) {
    for (ModeBlock::Feed& feed : block.feeds) {
      feed.fill = [all = std::move(feed.fill), columns = block.columns.size(), at = at_.data()](
                      std::int64_t begin, std::int64_t count, double* out) {
        for (std::int64_t r = 0; r < count; ++r) all(at[begin + r], 1, out + size_of(r) * columns);
      };
    }
    for (ModeGroup& group : block.groups) {
      std::vector<std::int32_t>& level = levels_.emplace_back();
      for (const std::int64_t i : at_) level.push_back(group.level[i]);
      group.level = level.data();
      if (group.covariates == nullptr) continue;
      std::vector<float>& covariates = covariates_.emplace_back();
      for (const std::int64_t i : at_) {
        const float* row = group.covariates + i * group.effects;
        covariates.insert(covariates.end(), row, row + group.effects);
      }
      group.covariates = covariates.data();
    }
  }
}

}  // namespace jensen
