#pragma once
/// \file All terms of a model on one device: their data, and their sums at S samples.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "batches.hpp"
#include "block_sum.hpp"
#include "buffer.hpp"
#include "densities/names.hpp"
#include "density_code.hpp"
#include "engine.hpp"
#include "general_term.hpp"
#include "segments.hpp"
#include "small_terms.hpp"

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

/// Adds what is left of a term's blocks to its sums, or makes it them. Item: (sample, value or slot).
struct AddBlocks {
  BlockSums blocks;
  bool more;  ///< to what is in `sums`
  double* sums;
  JENSEN_HD void operator()(std::int64_t item) const { sums[item] = (more ? sums[item] : 0.0) + blocks.total(item); }
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
    if (priors && Backend::small_terms_together) {
      const SmallTermList list = priors_.list();
      run_small_terms({list, z, dimension, samples}, {list, samples, sums_.data()});
    }
    for (std::size_t t = 0; t < terms_.size(); ++t) {
      if (terms_[t].subsampled) {
        evaluate_term(t, windows, z, dimension, effects, samples, effect_sums);
      } else if (priors && !in_list(terms_[t])) {
        const RowWindow all{{nullptr, terms_[t].rows}, 0};
        evaluate_term(t, {&all, 1}, z, dimension, effects, samples, nullptr);
      }
    }
  }

  /// Whether `samples` latents are so little work for all terms over all rows that one thread block can do it.
  bool small(int samples) const { return small_ && samples * work_ <= most_small_work; }
  /// All terms over all rows, in two stages, if small().
  EvaluateSmallTerms evaluate_small(const float* z, int dimension, int samples) const {
    return {all_.list(), z, dimension, samples};
  }
  SumSmallTerms sum_small(int samples) const { return {all_.list(), samples, sums_.data()}; }

  int term_count() const { return static_cast<int>(terms_.size()); }
  const TermRow* rows() const { return rows_.data(); }
  const double* sums() const { return sums_.data(); }
  /// contributions()[contribution_begin()[c] ..) are those of latent coordinate c.
  const std::int32_t* contribution_begin() const { return contribution_begin_.data(); }
  const Contribution* contributions() const { return contributions_.data(); }

 private:
  /// Rows of a term of general shape that are evaluated at once: what their values take stays in the caches.
  static constexpr std::int64_t general_rows = 16384;

  /// Its stage's name.
  static const char* term_name(const Term& term) {
    return term.custom == nullptr ? density_name(term.density) : term.custom->name;
  }
  /// A prior that runs with the others in one launch, which a user's own density cannot: it has kernels of its own.
  static bool in_list(const Term& term) { return Backend::small_terms_together && term.custom == nullptr; }

  /// Evaluated row by row first, its values kept.
  bool is_general(const Term& term) const { return !has_data_shape(term) || backend_.needs_row_values(term); }

  /// Multiplications of one thread block in a few microseconds.
  static constexpr std::int64_t most_small_work = 100'000;

  void run_small_terms(const EvaluateSmallTerms& evaluate, const SumSmallTerms& sum) {
    backend_.for_each("priors", evaluate.items(), evaluate);
    backend_.for_each("sum_priors", sum.items(), sum);
  }

  void evaluate_term(std::size_t t, std::span<const RowWindow> windows, const float* z, int dimension,
                     const Effects& effects, int samples, float* effect_sums) {
    bool more = false;
    for (const RowWindow& window : windows) {
      more = add_window(t, window, z, dimension, effects, samples, effect_sums, more);
    }
    if (more) return;
    const std::int64_t width = static_cast<std::int64_t>(samples) * (1 + slot_count(terms_[t]));
    backend_.for_each("add_blocks", width, AddBlocks{{nullptr, 0, width, 1}, false, sums(t)});
  }

  /// Adds the window's sums to the term's, or (not `more`) makes them the term's; returns whether the term has sums.
  bool add_window(std::size_t t, const RowWindow& window, const float* z, int dimension, const Effects& effects,
                  int samples, float* effect_sums, bool more) {
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
        const auto timed = backend_.stage(term_name(term));
        backend_.evaluate_term(term, in_memory_.data() + t, rows, plan, z, dimension, partials);
      } else {
        const RowValues values{values_.data(), value_rows_, value_stride(samples)};
        {
          const auto timed = backend_.stage(term_name(term));
          backend_.evaluate_general_term(term, in_memory_.data() + t, rows, plan, z, dimension, effects, values,
                                         partials);
        }
        for (const Gather& gather : gathers_[t]) {
          const Part& part = term.arguments[gather.argument].parts[gather.part];
          gather.segments.add(window.batch, values.derivative(gather.argument), values.stride,
                              part.x == nullptr ? nullptr : part.x + rows.first * part.columns, samples,
                              effect_sums + part.first_effect * stride_);
        }
      }
      const std::int64_t width = static_cast<std::int64_t>(samples) * (1 + partials.slots);
      const BlockSums blocks = add_up_blocks(backend_, "add_blocks", partials.data, plan.blocks, width);
      backend_.for_each("add_blocks", width, AddBlocks{blocks, more, sums(t)}, blocks_together);
      more = true;
    }
    return more;
  }
  double* sums(std::size_t t) const { return sums_.data() + offsets_[t]; }

  /// A copy of `rows` rows of so many numbers; row i is (*order)(i), or i if null.
  template <class T>
  Buffer<Backend, T> copy_rows(const T* from, std::int64_t rows, std::int64_t columns, const Shuffle* order) {
    const std::span<const T> host(from, static_cast<std::size_t>(rows * columns));
    if (order == nullptr) return {backend_, host};
    Buffer<Backend, T> copy(backend_, host.size());
    backend_.upload_shuffled(copy.data(), from, static_cast<std::size_t>(columns) * sizeof(T), *order);
    return copy;
  }

  /// X in 16 bits where the backend's kernels read them, else as the floats that they stand for.
  void keep_in(Storage storage, const Term& term, Part& part, const Shuffle* order) {
    const std::span<const float> x(part.x, static_cast<std::size_t>(term.rows * part.columns));
    if (backend_.takes_halves(term)) {
      const Halves halves = to_halves(x, part.columns, storage);
      halves_.push_back(copy_rows(halves.values.data(), term.rows, half_pitch(part.columns), order));
      part.x = nullptr;
      part.halves = halves_.back().data();
      part.storage = storage;
      part.scale = halves.scale;
    } else {
      columns_.push_back(copy_rows(rounded(x, part.columns, storage).data(), term.rows, part.columns, order));
      part.x = columns_.back().data();
    }
  }

  /// From one row's values to the next's: no more than needed, since they are summed in the levels' order. Registers
  /// that reach beyond the last row find room behind it.
  static std::int64_t value_stride(int samples) { return samples == 1 ? 1 : (std::int64_t{samples} + 7) / 8 * 8; }

  /// A gathered part and the order in which its rows are summed.
  struct Gather {
    int argument, part;
    Segments<Backend> segments;
  };

  Backend& backend_;
  std::int64_t stride_;
  std::int64_t value_rows_ = 0;
  std::vector<Term> terms_;                      ///< pointers into device memory
  Buffer<Backend, Term> in_memory_;              ///< the same
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
  bool small_ = false;     ///< no term gathers, all are in floats, and there are few rows
  std::int64_t work_ = 0;  ///< multiplications a sample, of all terms over all rows
  SmallTerms<Backend> priors_;
  SmallTerms<Backend> all_;  ///< all terms, if small_
};

template <class Backend>
TermSet<Backend>::TermSet(Backend& backend, const EngineSpec& spec, int most_samples, std::int64_t stride,
                          std::span<const std::int64_t> batch_begin)
    : backend_(backend), stride_(stride), terms_(spec.terms), gathers_(spec.terms.size()) {
  const Shuffle row_order = jensen::row_order(spec);
  const auto order_of = [&, shuffled = shuffles_rows(spec)](const Term& term) {
    return shuffled && term.subsampled ? &row_order : nullptr;
  };
  const auto keep = [&](const Term& term, const float*& pointer, std::int64_t columns = 1) {
    if (pointer == nullptr || term.resident) return;
    columns_.push_back(copy_rows(pointer, term.rows, columns, order_of(term)));
    pointer = columns_.back().data();
  };
  std::vector<TermRow> rows;
  std::vector<std::vector<Contribution>> of(static_cast<std::size_t>(spec.dimension));
  std::int64_t total = 0;
  std::int64_t most_values = 0;
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    Term& term = terms_[t];
    backend_.accept(term);
    // also of a subsampled term: a pass over all rows goes in windows larger than a batch may be
    std::int64_t most_rows = std::min(term.rows, general_rows);
    int slot = 1;
    for (int a = 0; a < term.argument_count; ++a) {
      keep(term, term.arguments[a].offset);
      for (int p = 0; p < term.arguments[a].part_count; ++p) {
        Part& part = term.arguments[a].parts[p];
        if (part.kind == PartKind::dense && term.subsampled && spec.storage != Storage::float32) {
          keep_in(spec.storage, term, part, order_of(term));
        } else if (!part.resident) {
          keep(term, part.x, part.columns);
        }
        for (int k = 0; k < slots_of(part); ++k, ++slot) {
          of[static_cast<std::size_t>(part.first) + static_cast<std::size_t>(k)].push_back({static_cast<int>(t), slot});
        }
        if (part.kind != PartKind::gather) continue;
        std::vector<std::int32_t> from_device(term.resident ? static_cast<std::size_t>(term.rows) : 0);
        if (!from_device.empty()) {
          backend_.download(from_device.data(), part.index, from_device.size() * sizeof(std::int32_t));
        }
        const std::span<const std::int32_t> index(term.resident ? from_device.data() : part.index,
                                                  static_cast<std::size_t>(term.rows));
        const SegmentTable table =
            make_segments(index, spec.groups[static_cast<std::size_t>(part.group)].levels, batch_begin);
        gathers_[t].push_back({a, p, Segments<Backend>(backend_, table, part.columns, stride_)});
        if (!term.resident) {
          indices_.emplace_back(backend_, index);
          part.index = indices_.back().data();
        }
        for (std::size_t b = 0; b + 1 < batch_begin.size(); ++b) {
          most_rows = std::max(most_rows, batch_begin[b + 1] - batch_begin[b]);
        }
      }
    }
    for (const float*& column : term.constants) keep(term, column);
    keep(term, term.weights);
    if (is_general(term)) {
      value_rows_ = std::max(value_rows_, most_rows);
      most_values = std::max<std::int64_t>(most_values, 1 + term.argument_count);
    }
    const bool in_pieces = !has_data_shape(term) && gathers_[t].empty();
    const std::int64_t largest = bound_blocks(in_pieces ? std::min(term.rows, general_rows) : term.rows,
                                              backend_.least_rows, backend_.most_blocks);
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
  in_memory_ = {backend_, std::span<const Term>(terms_)};
  sums_ = {backend_, static_cast<std::size_t>(total)};
  rows_ = {backend_, std::span<const TermRow>(rows)};
  contribution_begin_ = {backend_, std::span<const std::int32_t>(begin)};
  contributions_ = {backend_, std::span<const Contribution>(list)};
  values_ = {backend_,
             static_cast<std::size_t>(value_rows_ * most_values * value_stride(most_samples) + most_sample_lanes)};

  if (!Backend::small_terms_together) return;
  std::vector<Term> priors;
  std::vector<std::int64_t> offsets;
  small_ = halves_.empty();
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    const Term& term = terms_[t];
    work_ += term.rows * (1 + slot_count(term));
    small_ = small_ && !has_gathers(term) && term.custom == nullptr;
    if (term.subsampled || term.custom != nullptr) continue;
    priors.push_back(term);
    offsets.push_back(offsets_[t]);
  }
  priors_ = {backend_, std::span<const Term>(priors), offsets, most_samples};
  small_ = small_ && work_ <= most_small_work;
  if (small_) all_ = {backend_, std::span<const Term>(terms_), offsets_, most_samples};
}

}  // namespace jensen
