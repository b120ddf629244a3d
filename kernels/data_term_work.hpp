#pragma once
/// \file What the GPU's data term is given.

#include "data_term_plan.hpp"

namespace jensen {

/// Which part of a tile's work a launch does. A table too wide for shared memory is taken some columns at a time, in
/// two passes: first eta, then d, which is kept for all rows, then G.
enum class DataTermPass {
  whole,
  predict,   ///< eta of these columns goes to `partial`
  evaluate,  ///< the last columns' eta, and the density of all; d goes to `derivative`
  collect,   ///< G of these columns, from `derivative`
};

/// One evaluation of a term with has_tile_shape(), as the kernel takes it: small enough for a kernel's parameters.
struct DataTermWork {
  DensityKind density = DensityKind::gaussian;
  int argument_count = 1;
  Predictor arguments[max_data_arguments];
  const float* constants[max_constants] = {};
  const float* weights = nullptr;
  const void* x = nullptr;  ///< of the dense part: rows x plan.pitch floats or halves; 16-byte aligned
  int first = 0;            ///< its first latent coordinate
  float scale = 1;          ///< what its elements are to be multiplied by
  bool bfloat = false;      ///< halves are bfloat16, else float16
  bool split = true;        ///< full float precision by three products, else TF32
  RowList rows;
  BlockPlan blocks;
  const float* z = nullptr;  ///< S x dimension
  int dimension = 0;
  Partials out;
  Effects effects;                     ///< of gathers
  float* derivative = nullptr;         ///< where df/da_0 of each (row of the list, sample) is left, or null
  std::int64_t derivative_stride = 0;  ///< samples from row to row
  DataTermPass pass = DataTermPass::whole;
  int first_column = 0;      ///< of the plan's columns
  float* partial = nullptr;  ///< eta of the columns before: as `derivative`
  TilePlan plan;
};

inline DataTermWork data_term_work(const Term& term, RowList rows, BlockPlan blocks, const float* z, int dimension,
                                   Partials out, const TilePlan& plan) {
  DataTermWork work;
  work.density = term.density;
  work.argument_count = term.argument_count;
  for (int a = 0; a < max_data_arguments; ++a) work.arguments[a] = term.arguments[a];  // has_tile_shape(): no more
  for (int c = 0; c < max_constants; ++c) work.constants[c] = term.constants[c];
  work.weights = term.weights;
  if (const int dense = dense_part_of(term); dense >= 0) {
    const Part& part = term.arguments[0].parts[dense];
    work.x = part.halves == nullptr ? static_cast<const void*>(part.x) : part.halves;
    work.first = part.first;
    work.scale = part.halves == nullptr ? 1.0F : part.scale;
    work.bfloat = part.storage == Storage::bfloat16;
  }
  work.rows = rows;
  work.blocks = blocks;
  work.z = z;
  work.dimension = dimension;
  work.out = out;
  work.plan = plan;
  return work;
}

/// The launches of a table that is taken `columns` at a time: launch(work) for each. `work` has derivative and partial,
/// of rows.count rows each.
template <class Launch>
void in_passes(DataTermWork work, int all, int columns, const Launch& launch) {
  const auto* x = static_cast<const char*>(work.x);
  const int bytes = work.plan.element_bytes;
  const int latent = work.first;
  float* const partial = work.partial;
  const auto launch_pass = [&](DataTermPass pass, int first) {
    work.pass = pass;
    work.first_column = first;
    work.first = latent + first;
    work.x = x + static_cast<std::int64_t>(first) * bytes;
    work.partial = pass == DataTermPass::evaluate && first == 0 ? nullptr : partial;
    const int left = all - first;
    launch(work, left < columns ? left : columns);
  };
  for (int first = 0; first < all; first += columns) {
    launch_pass(first + columns < all ? DataTermPass::predict : DataTermPass::evaluate, first);
  }
  for (int first = 0; first < all; first += columns) launch_pass(DataTermPass::collect, first);
}

}  // namespace jensen
