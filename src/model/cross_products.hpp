#pragma once
/// \file What the rows say of two groups' effects together: a block of H_uu, by pairs of levels that meet in a row.

#include <cstdint>
#include <vector>

#include "model/cross_block.hpp"
#include "model/level_rows.hpp"
#include "model/mode.hpp"

namespace jensen {

/// sum over rows of z_g w z_h^T. `rows`: those of g by level; w: one a row. One pass over the rows.
CrossProducts cross_products(const ModeGroup& g, const LevelRows& rows, const ModeGroup& h, const double* w);

/// sum (q x width) += the block of level j times u (of all levels of h, each r x width).
void add_cross_products(const CrossProducts& cross, std::int64_t j, int q, int r, const double* u, int width,
                        double* sum);

}  // namespace jensen
