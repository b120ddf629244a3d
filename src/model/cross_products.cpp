#include "model/cross_products.hpp"

namespace jensen {

CrossProducts cross_products(const ModeGroup& g, const LevelRows& rows, const ModeGroup& h, const double* w) {
  struct Part {
    std::vector<std::int32_t> level, place;  // place: of each level of h, its latest pair; -1: none yet
    std::vector<double> value;
  };
  const int q = g.effects, r = h.effects;
  std::vector<Part> parts(usual_blocks);
  CrossProducts cross;
  cross.start.resize(size_of(g.levels) + 1);
  for_levels(rows, [&](int block, std::int64_t j) {
    Part& part = parts[size_of(block)];
    if (part.place.empty()) part.place.assign(size_of(h.levels), -1);
    const auto first = static_cast<std::int32_t>(part.level.size());
    for (std::int64_t k = rows.start[size_of(j)]; k < rows.start[size_of(j) + 1]; ++k) {
      const std::int64_t i = rows.order[size_of(k)];
      std::int32_t& place = part.place[size_of(h.level[i])];
      if (place < first) {
        place = static_cast<std::int32_t>(part.level.size());
        part.level.push_back(h.level[i]);
        part.value.resize(part.value.size() + size_of(q * r));
      }
      double* value = part.value.data() + std::int64_t{place} * q * r;
      for (int l = 0; l < q; ++l) {
        const double zw = w[i] * g.z(i, l);
        for (int m = 0; m < r; ++m) *value++ += zw * h.z(i, m);
      }
    }
    cross.start[size_of(j) + 1] = static_cast<std::int64_t>(part.level.size()) - first;
    if (j + 1 == rows.blocks[size_of(block) + 1]) std::vector<std::int32_t>().swap(part.place);
  });
  for (std::size_t j = 1; j < cross.start.size(); ++j) cross.start[j] += cross.start[j - 1];
  cross.level.reserve(size_of(cross.start.back()));
  cross.value.reserve(size_of(cross.start.back() * q * r));
  for (const Part& part : parts) {
    cross.level.insert(cross.level.end(), part.level.begin(), part.level.end());
    cross.value.insert(cross.value.end(), part.value.begin(), part.value.end());
  }
  return cross;
}

void add_cross_products(const CrossProducts& cross, std::int64_t j, int q, int r, const double* u, int width,
                        double* sum) {
  const std::int64_t begin = cross.start[size_of(j)], end = cross.start[size_of(j) + 1];
  const std::int32_t* level = cross.level.data();
  const double* value = cross.value.data();
  if (q * r * width == 1) {
    double total = 0;
    for (std::int64_t k = begin; k < end; ++k) total += value[k] * u[level[k]];
    *sum += total;
    return;
  }
  value += begin * q * r;
  for (std::int64_t k = begin; k < end; ++k) {
    const double* from = u + std::int64_t{level[k]} * r * width;
    for (int l = 0; l < q; ++l) {
      for (int t = 0; t < r; ++t, ++value) {
        for (int m = 0; m < width; ++m) sum[l * width + m] += *value * from[t * width + m];
      }
    }
  }
}

}  // namespace jensen
