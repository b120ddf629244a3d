#pragma once
/// \file Small random models with groups of levels, for the engine's tests.

#include <cstdint>
#include <memory>
#include <ostream>
#include <vector>

#include "models.hpp"

namespace jensen::testing {

enum class Parametrization { automatic, centred, noncentred };

struct LevelCase {
  DensityKind density;
  GuideShape guide;
  std::int64_t rows, batch;
  std::vector<int> effects;  ///< of each group
  std::int64_t levels;
  Parametrization parametrization;
  bool dense;
  bool in_head;
  bool weights;
  bool coupled = false;  ///< the first group is in the head, and the second depends on its effects
  bool follows = false;  ///< levels depend on a few effects each of the groups before theirs
};

inline std::ostream& operator<<(std::ostream& out, const LevelCase& c) {
  return out << "density " << static_cast<int>(c.density) << ", rows " << c.rows << ", batch " << c.batch << ", groups "
             << c.effects.size() << ", levels " << c.levels;
}

/// A random model with a first group on its first argument and a second one, if there is, on its last.
struct GroupModel {
  RandomModel model;
  std::vector<std::unique_ptr<std::vector<std::int32_t>>> indices;
  std::vector<std::unique_ptr<std::vector<std::int64_t>>> begins;
};

/// Up to three effects below `first` for each of `rows` effects; the last one follows none.
inline FollowedEffects random_followed(GroupModel& model, std::int64_t first, std::int64_t rows, std::mt19937& random) {
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> coordinate;
  std::vector<float> slope;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = row % 2; row + 1 < rows && c < first && coordinate.size() < 3U * (begin.size());
         c += 1 + row % 3) {
      coordinate.push_back(static_cast<std::int32_t>(c));
      slope.push_back(static_cast<float>(random() % 100) / 100 - 0.3F);
    }
    begin.push_back(static_cast<std::int64_t>(coordinate.size()));
  }
  model.begins.push_back(std::make_unique<std::vector<std::int64_t>>(begin));
  model.indices.push_back(std::make_unique<std::vector<std::int32_t>>(coordinate));
  return {model.begins.back()->data(), model.indices.back()->data(), model.model.keep(slope)};
}

inline GroupModel group_model(const LevelCase& c) {
  GroupModel out{random_model(c.density, c.rows, 3, 41), {}, {}};
  EngineSpec& spec = out.model.spec;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const auto draws = [&](std::int64_t n, float scale) {
    std::vector<float> x(static_cast<std::size_t>(n));
    for (float& v : x) v = scale * normal(random);
    return x;
  };
  spec.guide = c.guide;
  spec.batch = c.batch;
  spec.reference = 1;
  spec.samples = 5;
  spec.dense_levels = c.dense;
  Term& data = spec.terms[0];
  if (c.weights) {
    std::vector<float> weights = draws(c.rows, 1);
    for (float& w : weights) w = std::abs(w);
    data.weights = out.model.keep(weights);
  }
  int head = spec.dimension;
  for (std::size_t g = 0; g < c.effects.size(); ++g) {
    const int q = c.effects[g];
    GroupBlock group;
    group.effects = q;
    group.levels = c.levels + static_cast<std::int64_t>(g);
    group.first_sd = head;
    for (int k = 0; k < q; ++k) group.sd[k] = {-0.3F - 0.2F * static_cast<float>(k), 0.4F};
    head += q;
    if (g == 0 && q > 1) {
      group.first_correlation = head;
      for (int k = 0; k < q * (q - 1) / 2; ++k) group.correlation[k] = {0.2F, 0.6F};
      head += q * (q - 1) / 2;
    }
    if (c.parametrization != Parametrization::noncentred) {
      std::vector<float> information;
      for (std::int64_t j = 0; j < group.levels; ++j) {
        const std::vector<float> half = draws(q * q, 1.5F);
        for (int i = 0; i < q; ++i) {
          for (int k = 0; k <= i; ++k) {
            float sum = 0;
            for (int l = 0; l < q; ++l) sum += half[i * q + l] * half[k * q + l];
            information.push_back(sum);
          }
        }
      }
      group.information = out.model.keep(information);
      group.location = out.model.keep(draws(group.levels * q, 1));
      group.coefficients = 2;
      group.first_coefficient = 1;
      if (c.coupled && g > 0) {
        group.coupled_group = 0;
        for (const GroupBlock& before : spec.groups) group.coupled += static_cast<int>(before.levels) * before.effects;
      }
      group.coupling = out.model.keep(draws(group.levels * q * (2 + group.coupled), 0.5F));
    }
    if (c.parametrization == Parametrization::automatic) {  // a coefficient, and the first group's first sd
      out.indices.push_back(std::make_unique<std::vector<std::int32_t>>(
          std::vector<std::int32_t>{1, spec.groups.empty() ? head - 1 : spec.groups.front().first_sd}));
      std::vector<float> skew;  // of one group in two
      for (std::int64_t k = 0; k < group.levels * q; ++k) skew.push_back(0.15F - 0.04F * static_cast<float>(k % 8));
      if (c.effects.size() - g != 2) group.skew = out.model.keep(skew);
      std::vector<float> answer;
      for (std::int64_t k = 0; k < 2 * group.levels; ++k) answer.push_back(0.3F - 0.2F * static_cast<float>(k % 5));
      if (q == 1) group.answer = out.model.keep(answer);
      group.information_scale = {2, out.indices.back()->data(), out.model.keep({0.2F, -0.3F})};
    }
    if (c.follows && g > 0) {
      std::int64_t first = 0;
      for (const GroupBlock& before : spec.groups) first += before.levels * before.effects;
      group.followed = random_followed(out, first, group.levels * q, random);
    }
    if (c.parametrization == Parametrization::centred) {
      group.centred = true;
      for (int i = 0; i < q; ++i) {
        for (int k = 0; k <= i; ++k) group.reference[packed(i, k)] = i == k ? 0.7F : 0.1F;
      }
    }
    std::vector<std::int32_t> index(static_cast<std::size_t>(c.rows));
    for (auto& level : index) level = static_cast<std::int32_t>(random() % static_cast<unsigned>(group.levels));
    out.indices.push_back(std::make_unique<std::vector<std::int32_t>>(index));
    Predictor& predictor = data.arguments[g == 1 ? data.argument_count - 1 : 0];
    Part part{PartKind::gather, 0, q, 1, q == 1 ? nullptr : out.model.keep(draws(c.rows * q, 1))};
    part.index = out.indices.back()->data();
    part.group = static_cast<int>(g);
    predictor.parts[predictor.part_count++] = part;
    spec.groups.push_back(group);
  }
  const int before = head;
  for (GroupBlock& group : spec.groups) {
    if (!c.in_head && !(c.coupled && &group == &spec.groups.front())) continue;
    group.in_head = head;
    head += static_cast<int>(group.levels) * group.effects;
  }
  if (head > before && c.guide == GuideShape::fullrank) {
    HeadMap map{before, head - before, nullptr};
    std::vector<float> matrix = draws(std::int64_t{map.count} * map.count, 0.3F);
    for (int i = 0; i < map.count; ++i) matrix[static_cast<std::size_t>(i * map.count + i)] = 0.8F;
    map.matrix = out.model.keep(matrix);
    spec.head_maps.push_back(map);
  }
  spec.dimension = head;
  std::size_t size = lambda_size(spec);
  for (const GroupBlock& group : spec.groups) {
    const int each = group.effects + (c.dense ? packed_size(group.effects) : group.effects);
    if (group.in_head < 0) size += static_cast<std::size_t>(group.levels * each);
  }
  spec.lambda = random_lambda(size, 3);
  return out;
}

}  // namespace jensen::testing
