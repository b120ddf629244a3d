#include "predict/predictor_draws.hpp"

#include <algorithm>

namespace jensen {
namespace {

constexpr std::size_t most_kept = std::size_t{1} << 23U;  // numbers of one group: 64 MiB

/// out += x values
void add(double x, const double* values, std::size_t count, double* out) {
  if (x == 0) return;
  for (std::size_t s = 0; s < count; ++s) out[s] += x * values[s];
}

}  // namespace

LevelTable::LevelTable(const Fit& fit, std::size_t group, const GroupDesign& design, const ParameterDraws& draws)
    : design_(design), effects_(fit, group, draws), size_(effects_.effects() * draws.count()) {
  const std::size_t levels = design.levels() + design.new_labels().size();
  if (levels > most_kept / std::max<std::size_t>(size_, 1)) return;
  values_.resize(levels * size_);
#pragma omp parallel for schedule(static)
  for (std::int64_t j = 0; j < static_cast<std::int64_t>(levels); ++j) {
    const auto level = static_cast<std::size_t>(j);
    fill(level, values_.data() + level * size_);
  }
}

void LevelTable::fill(std::size_t level, double* out) const {
  const std::size_t known = design_.levels();
  if (level < known) {
    effects_.fill(level, out);
  } else {
    effects_.fill_new(level - known, out);
  }
}

std::size_t LevelTable::level_of(std::uint32_t row) const {
  const std::int32_t level = design_.level(row);
  return level >= 0 ? static_cast<std::size_t>(level) : design_.levels() + design_.new_level(row);
}

const double* LevelTable::of(std::uint32_t row, Memory& memory) const {
  const std::size_t level = level_of(row);
  if (kept()) return values_.data() + level * size_;
  if (memory.level != level) {
    memory.values.resize(size_);
    fill(level, memory.values.data());
    memory.level = level;
  }
  return memory.values.data();
}

PredictorDraws::PredictorDraws(const Fit& fit, const BoundPredictor& predictor, const ParameterDraws& draws)
    : predictor_(predictor), draws_(draws) {
  for (std::size_t g = 0; g < predictor.groups.size(); ++g) {
    levels_.push_back(std::make_unique<LevelTable>(fit, predictor.groups[g], predictor.design->groups()[g], draws));
  }
}

PredictorDraws::Scratch PredictorDraws::scratch() const {
  Scratch out;
  out.effects.resize(levels_.size());
  out.memories.resize(levels_.size());
  return out;
}

void PredictorDraws::load(std::span<const std::uint32_t> rows, Scratch& scratch) const {
  scratch.columns.resize(rows.size() * predictor_.design->columns());
  predictor_.design->fill(rows, scratch.columns.data());
  for (std::size_t g = 0; g < levels_.size(); ++g) {
    const GroupDesign& group = levels_[g]->design();
    scratch.effects[g].resize(rows.size() * group.effects().size());
    group.fill(rows, scratch.effects[g].data());
  }
}

void PredictorDraws::fill(std::span<const std::uint32_t> rows, std::size_t i, Scratch& scratch, double* eta) const {
  const std::size_t count = draws_.count();
  const std::size_t columns = predictor_.design->columns();
  const std::size_t first = predictor_.intercept ? 1 : 0;
  std::fill(eta, eta + count, predictor_.design->offset(rows[i]));
  if (predictor_.intercept) add(1, draws_.coordinate(predictor_.places[0]).data(), count, eta);
  for (std::size_t k = 0; k < columns; ++k) {
    add(scratch.columns[i * columns + k], draws_.coordinate(predictor_.places[first + k]).data(), count, eta);
  }
  for (std::size_t g = 0; g < levels_.size(); ++g) {
    const std::size_t q = levels_[g]->design().effects().size();
    const double* effects = levels_[g]->of(rows[i], scratch.memories[g]);
    for (std::size_t e = 0; e < q; ++e) add(scratch.effects[g][i * q + e], effects + e * count, count, eta);
  }
}

const GroupDesign* PredictorDraws::sort_by() const {
  for (const auto& levels : levels_) {
    if (!levels->kept()) return &levels->design();
  }
  return nullptr;
}

}  // namespace jensen
