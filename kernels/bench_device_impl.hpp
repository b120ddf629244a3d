#pragma once
/// \file BenchDevice for any backend. Instantiated in bench_device_cpu.cpp and bench_device_cuda.cu.

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "batches.hpp"
#include "bench_check.hpp"
#include "bench_data.hpp"
#include "bench_device.hpp"
#include "buffer.hpp"

namespace jensen {

/// The arrays of a BenchData, on the backend.
template <class Backend>
struct BenchDataOf final : BenchData {
  std::int64_t levels = 0;
  Buffer<Backend, float> x, effects, constants[max_constants], below, above;
  Buffer<Backend, std::int32_t> index;
};

template <class Backend>
class BenchDeviceOf final : public BenchDevice {
 public:
  explicit BenchDeviceOf(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

  std::unique_ptr<BenchData> generate(const BenchShape& shape) override {
    auto data = std::make_unique<BenchDataOf<Backend>>();
    allocate(shape, *data);
    describe(shape, *data);
    fill(shape, *data);
    return data;
  }

  BenchCheck check(Engine& engine, const BenchData& data, int samples, double work) override {
    const auto& own = static_cast<const BenchDataOf<Backend>&>(data);
    const double row_work = static_cast<double>(slot_count(data.term)) + 4;
    const auto affordable = [&](std::int64_t rows) {
      return static_cast<int>(std::clamp(work / (row_work * static_cast<double>(rows)), 1.0, double(samples)));
    };
    BenchCheck result;
    result.rows = data.term.rows;
    result.samples = affordable(data.term.rows);
    const RowList all{nullptr, data.term.rows};
    result.error = error_over(engine.pass({}), own, all, {result.samples, samples});
    if (has_gathers(data.term)) return result;
    // Rows by number, as minibatches take them; their count is no multiple of any tile.
    result.spread_rows = std::min<std::int64_t>(data.term.rows, 10'007);
    result.spread_samples = affordable(result.spread_rows);
    Buffer<Backend, std::uint32_t> rows(*backend_, static_cast<std::size_t>(result.spread_rows));
    backend_->for_each("spread_rows", result.spread_rows, SpreadRows{data.term.rows, result.spread_rows, rows.data()});
    rows.download();  // waits: the engine has a stream of its own
    const RowList some{rows.data(), result.spread_rows};
    result.error = std::max(result.error, error_over(engine.pass(some), own, some, {result.spread_samples, samples}));
    return result;
  }

 private:
  using Data = BenchDataOf<Backend>;

  void allocate(const BenchShape& shape, Data& data) {
    const auto n = static_cast<std::size_t>(shape.rows);
    data.x = {*backend_, n * static_cast<std::size_t>(shape.columns)};
    for (int c = 0; c < constant_count(shape.density); ++c) data.constants[c] = {*backend_, n};
    if (shape.density == DensityKind::cumulative_logit) {
      data.below = {*backend_, n * (bench_thresholds - 1)};
      data.above = {*backend_, n * (bench_thresholds - 1)};
    }
    if (shape.levels == 0) return;
    data.levels = shape.levels;
    data.index = {*backend_, n};
    data.effects = {*backend_, static_cast<std::size_t>(shape.levels)};
  }

  /// The term, and where everything stands among the latents.
  void describe(const BenchShape& shape, Data& data) {
    Term& term = data.term;
    term.density = shape.density;
    term.subsampled = true;
    term.resident = true;
    term.rows = shape.rows;
    int columns = shape.columns;
    for (int c = 0; c < max_constants; ++c) {
      term.constants[c] = data.constants[c].data();
      columns += term.constants[c] == nullptr ? 0 : 1;
    }
    const int predictors = bench_predictors(shape.density);
    term.argument_count = predictors;
    for (int p = 0; p < predictors; ++p) {
      term.arguments[p].part_count = 1;
      term.arguments[p].parts[0] = {PartKind::dense, p * shape.columns, shape.columns, 1, data.x.data()};
    }
    const int first_other = predictors * shape.columns;
    const std::vector<float> others = other_locations(shape.density);
    const auto other_count = static_cast<int>(others.size());
    if (shape.density == DensityKind::cumulative_logit) {
      data.first_threshold = first_other;
      data.thresholds = other_count;
      for (const int side : {1, 2}) {
        term.arguments[side].part_count = 1;
        term.arguments[side].parts[0] = {PartKind::dense, first_other, other_count, 1,
                                         side == 1 ? data.below.data() : data.above.data()};
      }
      term.argument_count = 3;
      columns += 2 * other_count;
    } else {
      for (int k = 0; k < other_count; ++k) {
        term.arguments[1 + k].part_count = 1;
        term.arguments[1 + k].parts[0] = {PartKind::scalar, first_other + k, 1, 1, nullptr};
      }
      term.argument_count += other_count;
    }
    if (shape.levels > 0) {
      Predictor& mean = term.arguments[0];
      Part gather{PartKind::gather, 0, 1, 1, nullptr};
      gather.index = data.index.data();
      gather.group = 0;
      mean.parts[mean.part_count++] = gather;
      ++columns;
    }
    data.dimension = first_other + other_count + (shape.levels > 0 ? 1 : 0);
    data.bytes = 4 * shape.rows * columns;
    data.products = shape.rows * predictors * shape.columns;

    const float scale = 1 / std::sqrt(static_cast<float>(shape.columns));
    data.location.resize(static_cast<std::size_t>(data.dimension), 0);
    for (int i = 0; i < first_other; ++i) {
      const Normals normals = bench_normals(shape.seed, BenchStream::coefficients, static_cast<std::uint64_t>(i) / 4);
      data.location[static_cast<std::size_t>(i)] = scale * normals.n[i % 4];
    }
    std::copy(others.begin(), others.end(), data.location.begin() + first_other);
    if (shape.levels > 0) data.location.back() = std::log(level_sd);
  }

  void fill(const BenchShape& shape, Data& data) {
    const FillNormals columns{shape.seed, BenchStream::columns, 1, shape.rows * shape.columns, data.x.data()};
    backend_->for_each("fill_columns", columns.items(), columns, 200);
    if (shape.levels > 0) {
      const FillNormals effects{shape.seed, BenchStream::effects, level_sd, shape.levels, data.effects.data()};
      backend_->for_each("fill_effects", effects.items(), effects, 200);
      backend_->for_each("set_levels", shape.rows,
                         SetLevels{shape.rows, batch_count(shape.rows, shape.batch), shape.levels, data.index.data()},
                         20);
    }
    std::vector<float> at = data.location;
    for (int k = 0; k < data.thresholds; ++k) {  // exp(0) above the one before; the first is at 0
      at[static_cast<std::size_t>(data.first_threshold) + static_cast<std::size_t>(k)] = static_cast<float>(1 + k);
    }
    const Buffer<Backend, float> z(*backend_, std::span<const float>(at));
    DrawResponses draw{data.term, shape.seed,        z.data(),         {data.effects.data(), 1}, data.first_threshold,
                       {},        data.below.data(), data.above.data()};
    for (int c = 0; c < max_constants; ++c) draw.constants[c] = data.constants[c].data();
    backend_->for_each("draw_responses", shape.rows, draw, 200);
    z.download();  // waits: engines have streams of their own
  }

  /// The largest error of the pass over `rows`, of all that is compared.
  double error_over(const Engine::Pass& pass, const Data& data, const RowList& rows, CheckedSamples samples) {
    constexpr std::int64_t most_doubles = std::int64_t{1} << 24;  // 128 MiB
    const std::int64_t width = check_width(data.term);
    const std::int64_t most_blocks = std::clamp<std::int64_t>(most_doubles / (2 * width * samples.count), 1, 4096);
    const BlockPlan plan = plan_blocks(rows.count, 64, most_blocks);
    Buffer<Backend, double> sums(*backend_, static_cast<std::size_t>(plan.blocks * samples.count * 2 * width));
    Buffer<Backend, double> errors(*backend_, static_cast<std::size_t>(samples.count * width));
    backend_->for_each("check_rows", plan.blocks * samples.count,
                       CheckRows{data.term, rows, plan, pass.z, data.dimension, pass.effects, samples, sums.data()},
                       plan.rows_per_block * width);
    backend_->for_each("compare_sums", samples.count * width,
                       CompareSums{data.term, data.levels, pass, plan.blocks, samples, sums.data(), errors.data()},
                       plan.blocks);
    double largest = 0;
    for (const double error : errors.download()) largest = std::max(largest, error);
    return largest;
  }

  static constexpr float level_sd = 0.5F;
  std::unique_ptr<Backend> backend_;
};

}  // namespace jensen
