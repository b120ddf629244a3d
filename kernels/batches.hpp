#pragma once
/// \file Which rows a step takes.
///
/// Minibatches are the same rows in every epoch, which follow one another in memory, where the rows stand in random
/// order: as the caller gave them, or in the engine's copy. Each epoch visits them in a new order. Where rows stay as
/// they are, each epoch picks them one by one in a new order.

#include <algorithm>
#include <cstdint>

#include "engine.hpp"
#include "shuffle.hpp"

namespace jensen {

/// Whether the engine's copy of the subsampled rows is in a random order of its own: row i is row_order()(i). Not where
/// it has no copy, as of a target's rows and resident ones.
inline bool shuffles_rows(const EngineSpec& spec) {
  const auto resident = [](const Term& term) {
    if (term.resident) return true;
    for (int a = 0; a < term.argument_count; ++a) {
      for (int p = 0; p < term.arguments[a].part_count; ++p) {
        if (term.arguments[a].parts[p].resident) return true;
      }
    }
    return false;
  };
  return spec.batch < spec.rows && !spec.shuffled && spec.groups.empty() && spec.target == nullptr &&
         std::ranges::none_of(spec.terms, resident);
}
inline Shuffle row_order(const EngineSpec& spec) {
  constexpr std::uint64_t no_epoch = ~std::uint64_t{0};
  return {static_cast<std::uint32_t>(spec.rows), spec.seed, no_epoch};
}
/// Whether minibatches are always the same rows, which follow one another in memory: where that is in random order.
/// Else each epoch picks rows one by one, in a new order.
inline bool fixed_batches(const EngineSpec& spec) {
  return spec.shuffled || !spec.groups.empty() || shuffles_rows(spec);
}

/// Fixed batch b of `batches` is rows [batch_begin(b), batch_begin(b + 1)).
inline std::int64_t batch_count(std::int64_t rows, std::int64_t batch) {
  return rows == 0 ? 1 : (rows + batch - 1) / batch;
}
inline std::int64_t batch_begin(std::int64_t rows, std::int64_t batches, std::int64_t b) { return rows * b / batches; }

/// Which rows step t takes: positions [begin, end) of the epoch's reshuffling.
struct BatchRange {
  std::int64_t epoch, batch, begin, end;
};
inline BatchRange batch_range(std::int64_t rows, std::int64_t batch, std::int64_t step) {
  const std::int64_t per_epoch = batch_count(rows, batch);
  const std::int64_t j = step % per_epoch;
  return {step / per_epoch, j, batch_begin(rows, per_epoch, j), batch_begin(rows, per_epoch, j + 1)};
}
/// The same of fixed batches, which each epoch visits in a new order: rows [begin, end).
inline BatchRange fixed_batch(std::int64_t rows, std::int64_t batch, std::int64_t step, std::uint64_t seed) {
  const std::int64_t per_epoch = batch_count(rows, batch);
  const std::int64_t epoch = step / per_epoch;
  const Shuffle order(static_cast<std::uint32_t>(per_epoch), seed, static_cast<std::uint64_t>(epoch));
  const std::int64_t b = order(static_cast<std::uint32_t>(step % per_epoch));
  return {epoch, b, batch_begin(rows, per_epoch, b), batch_begin(rows, per_epoch, b + 1)};
}

}  // namespace jensen
