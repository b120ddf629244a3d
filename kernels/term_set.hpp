#pragma once
/// \file All terms of a model on one device: their data, and their sums at S samples.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "add_blocks.hpp"
#include "buffer.hpp"
#include "engine.hpp"
#include "general_term.hpp"
#include "segments.hpp"

namespace jensen {

/// Rows evaluated together. `batch`: which of the fixed batches they are, where the model has groups.
struct RowWindow {
  RowList rows;
  std::size_t batch = 0;
};

/// Where a term's sums are.
struct TermRow {
  std::int64_t offset;  ///< of sample 0
  int stride;           ///< 1 + slots: from one sample to the next
  int subsampled;
};

/// One slot that is part of a latent coordinate's derivative.
struct Contribution {
  int term;
  int slot;
};

template <class Backend>
class TermSet {
 public:
  /// `batch_begin`: first row of each fixed batch, and the end; only read if a term gathers.
  TermSet(Backend& backend, const EngineSpec& spec, int most_samples, std::int64_t stride,
          std::span<const std::int64_t> batch_begin);

  /// Sums all terms, or the data terms only, at `samples` latents z (samples x dimension) over the windows' rows; prior
  /// terms over all of theirs. Adds the derivatives by the groups' effects to effect_sums (coordinates x stride).
  void evaluate(const float* z, int dimension, Effects effects, int samples, std::span<const RowWindow> windows,
                bool priors, float* effect_sums) {
    sums_.zero();
    for (std::size_t t = 0; t < terms_.size(); ++t) {
      if (!terms_[t].subsampled) {
        if (priors) add_window(t, {{nullptr, terms_[t].rows}, 0}, z, dimension, effects, samples, nullptr);
        continue;
      }
      for (const RowWindow& window : windows) add_window(t, window, z, dimension, effects, samples, effect_sums);
    }
  }

  int term_count() const { return static_cast<int>(terms_.size()); }
  const TermRow* rows() const { return rows_.data(); }
  const double* sums() const { return sums_.data(); }
  /// contributions()[contribution_begin()[c] ..) are those of latent coordinate c.
  const std::int32_t* contribution_begin() const { return contribution_begin_.data(); }
  const Contribution* contributions() const { return contributions_.data(); }

 private:
  /// Rows of a term of general shape that are evaluated at once: what their values take stays in the caches.
  static constexpr std::int64_t general_rows = 16384;

  /// Evaluated row by row first, its values kept.
  bool is_general(const Term& term) const { return !has_data_shape(term) || backend_.needs_row_values(term); }

  void add_window(std::size_t t, const RowWindow& window, const float* z, int dimension, const Effects& effects,
                  int samples, float* effect_sums) {
    const Term& term = terms_[t];
    const bool general = is_general(term);
    const std::int64_t step = !general || !gathers_[t].empty() ? window.rows.count : general_rows;
    for (std::int64_t begin = 0; begin < window.rows.count; begin += step) {
      RowList rows = window.rows;
      rows.count = std::min(step, window.rows.count - begin);
      if (rows.indices != nullptr) {
        rows.indices += begin;
      } else {
        rows.first += begin;
      }
      const BlockPlan plan = plan_blocks(rows.count, backend_.least_rows, backend_.most_blocks);
      const Partials partials{partials_[t].data(), samples, slot_count(term)};
      if (!general) {
        backend_.evaluate_term(term, rows, plan, z, dimension, partials);
      } else {
        const RowValues values{values_.data(), value_rows_, stride_};
        backend_.evaluate_general_term(term, rows, plan, z, dimension, effects, values, partials);
        for (const Gather& gather : gathers_[t]) {
          const Part& part = term.arguments[gather.argument].parts[gather.part];
          gather.segments.add(window.batch, values.derivative(gather.argument),
                              part.x == nullptr ? nullptr : part.x + rows.first * part.columns, samples,
                              effect_sums + part.first_effect * stride_);
        }
      }
      backend_.add_blocks(AddBlocks{partials, plan.blocks, sums_.data() + offsets_[t]});
    }
  }

  /// X in 16 bits where the backend's kernels read them, else as the floats that they stand for.
  void keep_in(Storage storage, const Term& term, Part& part) {
    const std::span<const float> x(part.x, static_cast<std::size_t>(term.rows * part.columns));
    if (backend_.takes_halves(term)) {
      const Halves halves = to_halves(x, part.columns, storage);
      halves_.emplace_back(backend_, std::span<const std::uint16_t>(halves.values));
      part.x = nullptr;
      part.halves = halves_.back().data();
      part.storage = storage;
      part.scale = halves.scale;
    } else {
      columns_.emplace_back(backend_, std::span<const float>(rounded(x, part.columns, storage)));
      part.x = columns_.back().data();
    }
  }

  /// A gathered part and the order in which its rows are summed.
  struct Gather {
    int argument, part;
    Segments<Backend> segments;
  };

  Backend& backend_;
  std::int64_t stride_;
  std::int64_t value_rows_ = 0;
  std::vector<Term> terms_;                      ///< pointers into device memory
  std::vector<std::int64_t> offsets_;            ///< of each term's sums
  std::vector<std::vector<Gather>> gathers_;     ///< of each term
  std::vector<Buffer<Backend, float>> columns_;  ///< what the terms point to
  std::vector<Buffer<Backend, std::uint16_t>> halves_;
  std::vector<Buffer<Backend, std::int32_t>> indices_;
  std::vector<Buffer<Backend, double>> partials_;
  Buffer<Backend, double> sums_;
  Buffer<Backend, TermRow> rows_;
  Buffer<Backend, std::int32_t> contribution_begin_;
  Buffer<Backend, Contribution> contributions_;
  Buffer<Backend, float> values_;
};

template <class Backend>
TermSet<Backend>::TermSet(Backend& backend, const EngineSpec& spec, int most_samples, std::int64_t stride,
                          std::span<const std::int64_t> batch_begin)
    : backend_(backend), stride_(stride), terms_(spec.terms), gathers_(spec.terms.size()) {
  const auto keep = [&](const float*& pointer, std::int64_t count) {
    if (pointer == nullptr) return;
    columns_.emplace_back(backend_, std::span<const float>(pointer, static_cast<std::size_t>(count)));
    pointer = columns_.back().data();
  };
  std::vector<TermRow> rows;
  std::vector<std::vector<Contribution>> of(static_cast<std::size_t>(spec.dimension));
  std::int64_t total = 0;
  std::int64_t most_values = 0;
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    Term& term = terms_[t];
    // also of a subsampled term: a pass over all rows goes in windows larger than a batch may be
    std::int64_t most_rows = std::min(term.rows, general_rows);
    int slot = 1;
    for (int a = 0; a < term.argument_count; ++a) {
      keep(term.arguments[a].offset, term.rows);
      for (int p = 0; p < term.arguments[a].part_count; ++p) {
        Part& part = term.arguments[a].parts[p];
        if (part.kind == PartKind::dense && term.subsampled && spec.storage != Storage::float32) {
          keep_in(spec.storage, term, part);
        } else {
          keep(part.x, term.rows * part.columns);
        }
        for (int k = 0; k < slots_of(part); ++k, ++slot) {
          of[static_cast<std::size_t>(part.first) + static_cast<std::size_t>(k)].push_back({static_cast<int>(t), slot});
        }
        if (part.kind != PartKind::gather) continue;
        const std::span<const std::int32_t> index(part.index, static_cast<std::size_t>(term.rows));
        const SegmentTable table =
            make_segments(index, spec.groups[static_cast<std::size_t>(part.group)].levels, batch_begin);
        gathers_[t].push_back({a, p, Segments<Backend>(backend_, table, part.columns, stride_)});
        indices_.emplace_back(backend_, index);
        part.index = indices_.back().data();
        for (std::size_t b = 0; b + 1 < batch_begin.size(); ++b) {
          most_rows = std::max(most_rows, batch_begin[b + 1] - batch_begin[b]);
        }
      }
    }
    for (const float*& column : term.constants) keep(column, term.rows);
    keep(term.weights, term.rows);
    if (is_general(term)) {
      value_rows_ = std::max(value_rows_, most_rows);
      most_values = std::max<std::int64_t>(most_values, 1 + term.argument_count);
    }
    const std::int64_t largest = bound_blocks(term.rows, backend_.least_rows, backend_.most_blocks);
    partials_.emplace_back(backend_, static_cast<std::size_t>(largest * most_samples * slot));
    offsets_.push_back(total);
    rows.push_back({total, slot, term.subsampled ? 1 : 0});
    total += static_cast<std::int64_t>(most_samples) * slot;
  }
  std::vector<std::int32_t> begin{0};
  std::vector<Contribution> list;
  for (const auto& of_coordinate : of) {
    list.insert(list.end(), of_coordinate.begin(), of_coordinate.end());
    begin.push_back(static_cast<std::int32_t>(list.size()));
  }
  sums_ = {backend_, static_cast<std::size_t>(total)};
  rows_ = {backend_, std::span<const TermRow>(rows)};
  contribution_begin_ = {backend_, std::span<const std::int32_t>(begin)};
  contributions_ = {backend_, std::span<const Contribution>(list)};
  values_ = {backend_, static_cast<std::size_t>(value_rows_ * most_values * stride_)};
}

}  // namespace jensen
