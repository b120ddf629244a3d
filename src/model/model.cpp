#include "model/model.hpp"

#include <algorithm>
#include <cmath>

#include "model/fixed_blocks.hpp"
#include "model/followed_effects.hpp"
#include "model/group_chain.hpp"
#include "model/head_whitening.hpp"
#include "model/latent_layout.hpp"
#include "model/prior_density.hpp"
#include "model/prior_rows.hpp"
#include "model/start.hpp"

namespace jensen {
namespace {

/// Builds a Model piece by piece.
class ModelBuilder {
 public:
  ModelBuilder(const ModelData& data, const TrainOptions& options)
      : data_(data),
        options_(options),
        priors_(resolve_priors(options.priors, data)),
        layout_(make_layout(data, priors_)),
        start_(find_start(data, priors_)) {}

  Model build() {
    model_.parameters = layout_.parameters;
    model_.priors = priors_.listed;
    const std::size_t h = layout_.size();
    model_.to_user = Matrix(h, h);
    model_.shift.assign(h, 0);
    model_.basis = Matrix::identity(h);
    for (std::size_t i = 0; i < data_.predictors.size(); ++i) map_block(i);
    map_thresholds();
    for (const bool in_head : {true, false}) {
      for (std::size_t i = 0; i < data_.predictors.size(); ++i) {
        add_groups(i, in_head);
        if (in_head) whiten_head(i);
      }
      if (in_head) model_.head_groups = model_.groups.size();
    }
    for (std::size_t i = 0; i < data_.predictors.size(); ++i) {
      for (std::size_t g = 0; g < data_.predictors[i].groups.size(); ++g) scale_information(i, g);
    }
    for (std::size_t i = 0; i < data_.predictors.size(); ++i) add_horseshoe(i);
    add_data_term();
    add_threshold_priors();
    for (std::size_t i = 0; i < data_.predictors.size(); ++i) add_priors(i);
    if (data_.thresholds > 1) bring_thresholds_together();
    return std::move(model_);
  }

 private:
  const float* keep(std::vector<float> values) {
    model_.columns.push_back(std::move(values));
    return model_.columns.back().data();
  }

  /// u = B theta + b on a predictor's coefficients, theta = mean + R^-1 w.
  void map_block(std::size_t i) {
    const PredictorData& p = data_.predictors[i];
    const std::size_t c = p.coefficients();
    if (c == 0) return;
    const BlockNormal& normal = start_.predictors[i];
    const std::size_t at = layout_.blocks[i].first;
    const Matrix to_raw = raw_from_standardised(p);
    const Matrix map = to_raw * normal.inverse;
    const std::vector<double> shift = to_raw * normal.mean;
    std::vector<double> squares(c);  // of each column of R
    for (std::size_t k = 0; k < c; ++k) {
      for (std::size_t b = k; b < c; ++b) squares[b] += normal.upper(k, b) * normal.upper(k, b);
    }
    for (std::size_t a = 0; a < c; ++a) {
      model_.shift[at + a] = shift[a];
      for (std::size_t b = 0; b < c; ++b) {
        model_.to_user(at + a, at + b) = map(a, b);
        // Column b in units of the conditional sd of theta_b, mean-field's optimum if the posterior is normal.
        model_.basis(at + a, at + b) = a <= b ? normal.upper(a, b) / std::sqrt(squares[b]) : 0;
      }
      model_.log_determinant += std::log(std::abs(to_raw(a, a)) * normal.inverse(a, a));
      model_.log_basis_determinant += std::log(model_.basis(at + a, at + a));
    }
    if (p.design != nullptr && p.intercept && p.infix.empty() && data_.thresholds == 0) {
      model_.shift[at] += data_.eta_center;
    }
    if (data_.thresholds > 0 && i == 0) {  // the first threshold is minus the intercept
      model_.shift[at] = -model_.shift[at];
      for (std::size_t b = 0; b < c; ++b) model_.to_user(at, at + b) = -model_.to_user(at, at + b);
    }
  }

  /// Raw coefficients from standardised ones: upper triangular.
  Matrix raw_from_standardised(const PredictorData& p) const {
    const std::size_t c = p.coefficients();
    if (p.design == nullptr) return Matrix::identity(c);
    const double unit = unit_of_predictor(data_, p);
    Matrix to_raw(c, c);
    const std::size_t first = p.intercept ? 1 : 0;
    for (std::size_t j = first; j < c; ++j) to_raw(j, j) = unit / p.scale[j - first];
    if (p.intercept) {
      const std::vector<double> intercept = raw_intercept_row(data_, p);
      for (std::size_t j = 0; j < c; ++j) to_raw(0, j) = intercept[j];
    }
    return to_raw;
  }

  /// y, the logarithms of the thresholds' increments, from their mode c and its Hessian: near it dy = J^-1 R^-1 dw,
  /// with J = dc / dy.
  void map_thresholds() {
    if (data_.thresholds < 2) return;
    const std::size_t count = data_.thresholds - 1;
    OrderedBlock block;
    block.first = static_cast<int>(layout_.increments);
    block.count = static_cast<int>(count);
    Matrix scale = start_.thresholds.inverse;  // becomes J^-1 R^-1: dy_k = (dc_k - dc_(k-1)) / increment_k
    for (std::size_t k = count; k-- > 0;) {
      const double before = k == 0 ? 0 : start_.thresholds.mean[k - 1];
      const double increment = std::max(start_.thresholds.mean[k] - before, 1e-6);
      const std::size_t at = layout_.increments + k;
      for (std::size_t l = 0; l < count; ++l) {
        scale(k, l) = (scale(k, l) - (k == 0 ? 0 : start_.thresholds.inverse(k - 1, l))) / increment;
        model_.to_user(at, layout_.increments + l) = scale(k, l);
      }
      block.shift[k] = static_cast<float>(std::log(increment));
      model_.shift[at] = std::log(increment);
      model_.log_determinant += std::log(start_.thresholds.inverse(k, k) / increment);
    }
    block.matrix = keep(to_float(scale.values));
    model_.ordered.push_back(block);
  }

  /// A parameter u = shift + scale w of its own.
  void map_number(std::size_t at, double shift, double scale) {
    model_.shift[at] = shift;
    model_.to_user(at, at) = scale;
    model_.log_determinant += std::log(scale);
  }

  /// Predictor i's groups in the head, or the others, which depend on the former's effects.
  void add_groups(std::size_t i, bool in_head) {
    const PredictorData& p = data_.predictors[i];
    place_of_.resize(data_.predictors.size());
    place_of_[i].resize(p.groups.size());
    std::vector<std::int64_t> levels;
    for (const GroupData& group : p.groups) levels.push_back(static_cast<std::int64_t>(group.design->levels()));
    std::vector<std::size_t> order = chain_order(levels);
    if (in_head) std::ranges::sort(order);
    for (const std::size_t g : order) {
      if (p.groups[g].in_head != in_head) continue;
      place_of_[i][g] = model_.groups.size();
      add_group(i, g);
    }
  }

  void whiten_head(std::size_t i) {
    if (options_.parametrization == Parametrization::noncentered) return;
    const std::vector<GroupData>& groups = data_.predictors[i].groups;
    Matrix matrix = head_whitening(start_.predictors[i], groups);
    if (matrix.rows == 0) return;
    const auto first = std::ranges::find(groups, true, &GroupData::in_head) - groups.begin();
    std::vector<float> values = to_float(matrix.values);
    model_.head_whitening.push_back(
        {place_of_[i][static_cast<std::size_t>(first)], std::move(matrix), std::move(values)});
  }

  void add_group(std::size_t i, std::size_t g) {
    const PredictorData& p = data_.predictors[i];
    const GroupData& group = p.groups[g];
    const GroupMode& mode = start_.predictors[i].groups[g];
    const LatentLayout::Group& place = layout_.blocks[i].groups[g];
    const std::size_t q = group.effects();
    const std::size_t pairs = q * (q - 1) / 2;
    const bool correlated = group.design->correlated() && q > 1;
    const double unit = unit_of_predictor(data_, p);

    GroupBlock block;
    block.effects = static_cast<int>(q);
    block.levels = static_cast<std::int64_t>(group.design->levels());
    block.first_sd = static_cast<int>(place.sd);
    block.first_correlation = correlated ? static_cast<int>(place.correlation) : -1;
    for (std::size_t k = 0, pair = 0; k < q; ++k) {
      double square = 0;
      for (std::size_t l = 0; l <= k; ++l)
        square += mode.factor[k * (k + 1) / 2 + l] * mode.factor[k * (k + 1) / 2 + l];
      const double log_sd = 0.5 * std::log(square);
      block.sd[k] = {static_cast<float>(log_sd), static_cast<float>(mode.log_sd_scale[k])};
      map_number(place.sd + k, log_sd + std::log(unit), mode.log_sd_scale[k]);
      double rest = square;
      for (std::size_t l = 0; l < k && correlated; ++l, ++pair) {
        const double element = mode.factor[k * (k + 1) / 2 + l];
        const double partial = std::clamp(element / std::sqrt(rest), -0.999, 0.999);
        rest = std::max(rest - element * element, 1e-6 * square);
        block.correlation[pair] = {static_cast<float>(std::atanh(partial)), static_cast<float>(mode.cor_scale[pair])};
        map_number(place.correlation + pair, std::atanh(partial), mode.cor_scale[pair]);
      }
    }
    GroupPosterior posterior;
    posterior.group = group.design->group();
    posterior.parameter = p.parameter;
    posterior.effects = group.design->effects();
    posterior.levels = group.design->levels();
    posterior.first_sd = place.sd;
    posterior.first_correlation = correlated ? place.correlation : 0;
    if (options_.parametrization != Parametrization::noncentered) add_conditional(i, g, block, posterior);
    if (options_.parametrization == Parametrization::centered) {
      block.centred = posterior.centered = true;
      for (std::size_t k = 0; k < mode.factor.size(); ++k) {
        block.reference[k] = static_cast<float>(mode.factor[k]);
        posterior.reference.push_back(unit * mode.factor[k]);
      }
    }
    model_.groups.push_back(block);
    model_.shares_of_sd.push_back(mode.share_of_sd);
    model_.posteriors.push_back(std::move(posterior));
    add_sd_priors(i, g, unit);
    if (correlated) add_correlation_prior(priors_.predictors[i].groups[g].correlation, place, q, pairs, block);
  }

  /// The levels' conditional distribution near the mode: in the engine's units by w, in the fit's by the user's b.
  void add_conditional(std::size_t i, std::size_t g, GroupBlock& block, GroupPosterior& posterior) {
    const PredictorData& p = data_.predictors[i];
    const GroupMode& mode = start_.predictors[i].groups[g];
    const double unit = unit_of_predictor(data_, p);
    std::size_t coupled = 0;
    std::vector<double> at_mode;  // e there: r_j is location_j where e is 0
    for (std::size_t other = 0; other < p.groups.size() && !p.groups[g].in_head; ++other) {
      if (!p.groups[other].in_head) continue;
      if (coupled == 0) block.coupled_group = static_cast<int>(place_of_[i][other]);
      posterior.coupled.push_back(place_of_[i][other]);
      const std::vector<double>& effects = start_.predictors[i].groups[other].effects;
      at_mode.insert(at_mode.end(), effects.begin(), effects.end());
      coupled += effects.size();
    }
    const std::size_t c = p.coefficients();
    std::vector<float> location = mode.location;
    for (std::size_t r = 0; r < location.size() && coupled > 0; ++r) {
      double sum = location[r];
      const float* by_effect = mode.coupling.data() + r * (c + coupled) + c;
      for (std::size_t k = 0; k < coupled; ++k) sum += static_cast<double>(by_effect[k]) * at_mode[k];
      location[r] = static_cast<float>(sum);
    }
    add_followed(i, g, location, block, posterior);
    if (options_.parametrization == Parametrization::automatic) add_shape(mode.shape, unit, block, posterior);
    block.information = keep(mode.information);
    posterior.information = mode.information;
    posterior.location = location;
    block.location = keep(std::move(location));
    for (float& value : posterior.information) value = static_cast<float>(static_cast<double>(value) / (unit * unit));
    for (float& value : posterior.location) value = static_cast<float>(static_cast<double>(value) / unit);
    if (c + coupled == 0) return;
    add_coupling(i, mode, coupled, block, posterior);
  }

  void add_shape(const LevelShape& shape, double unit, GroupBlock& block, GroupPosterior& posterior) {
    if (!shape.skew.empty()) {
      block.skew = keep(shape.skew);
      posterior.skew = shape.skew;
    }
    if (shape.answer.empty()) return;
    block.answer = keep(shape.answer);
    posterior.answer = shape.answer;
    posterior.answer_origin = model_.shift[posterior.first_sd];
    for (std::size_t k = 1; k < shape.answer.size(); k += 2) {
      posterior.answer[k] = static_cast<float>(static_cast<double>(shape.answer[k]) / unit);
    }
  }

  /// The effects of other groups outside the head that the levels follow; `location` is moved to where those are 0.
  void add_followed(std::size_t i, std::size_t g, std::vector<float>& location, GroupBlock& block,
                    GroupPosterior& posterior) {
    std::vector<std::size_t> first;
    for (const std::size_t place : place_of_[i]) {
      std::size_t effects = 0;
      for (std::size_t before = 0; before < place; ++before) {
        effects += static_cast<std::size_t>(model_.groups[before].levels * model_.groups[before].effects);
      }
      first.push_back(effects);
    }
    FollowedRows rows = followed_rows(start_.predictors[i].groups, g, first, location);
    if (rows.begin.empty()) return;
    const double unit = unit_of_predictor(data_, data_.predictors[i]);
    for (const double slope : rows.slope) posterior.followed_slope.push_back(static_cast<float>(slope / (unit * unit)));
    posterior.followed_begin = rows.begin;
    posterior.followed = rows.effect;
    model_.begins.push_back(std::move(rows.begin));
    model_.indices.push_back(std::move(rows.effect));
    block.followed = {model_.begins.back().data(), model_.indices.back().data(), keep(to_float(rows.slope))};
  }

  /// Coupling to the C coefficients and to `coupled` effects of groups in the head.
  void add_coupling(std::size_t i, const GroupMode& mode, std::size_t coupled, GroupBlock& block,
                    GroupPosterior& posterior) {
    const PredictorData& p = data_.predictors[i];
    const std::size_t c = p.coefficients();
    const std::size_t columns = c + coupled;
    const auto rows = mode.location.size();  // J x q
    const double unit = unit_of_predictor(data_, p);
    const std::size_t at = layout_.blocks[i].first;
    const Matrix standardised = inverse_upper(raw_from_standardised(p));
    const bool flipped = data_.thresholds > 0 && i == 0;
    std::vector<float> coupling(rows * columns);
    posterior.coupling.resize(rows * columns);
#pragma omp parallel for schedule(static)
    for (std::int64_t r = 0; r < static_cast<std::int64_t>(rows); ++r) {
      const std::size_t first = static_cast<std::size_t>(r) * columns;
      const float* given = mode.coupling.data() + first;
      for (std::size_t j = 0; j < c; ++j) {
        double by_latent = 0, by_user = 0;
        for (std::size_t k = 0; k <= j; ++k) {
          by_latent += static_cast<double>(given[k]) * start_.predictors[i].inverse(k, j);
          by_user += static_cast<double>(given[k]) * standardised(k, j);
        }
        coupling[first + j] = static_cast<float>(by_latent);
        posterior.coupling[first + j] = static_cast<float>((flipped && j == 0 ? -by_user : by_user) / unit);
      }
      for (std::size_t k = c; k < columns; ++k) {
        coupling[first + k] = given[k];
        posterior.coupling[first + k] = static_cast<float>(static_cast<double>(given[k]) / (unit * unit));
      }
    }
    block.coupling = keep(std::move(coupling));
    block.first_coefficient = static_cast<int>(at);
    block.coefficients = static_cast<int>(c);
    block.coupled = static_cast<int>(coupled);
    posterior.first_coefficient = at;
    posterior.coefficients = c;
    posterior.origin.assign(model_.shift.begin() + static_cast<std::ptrdiff_t>(at),
                            model_.shift.begin() + static_cast<std::ptrdiff_t>(at + c));
  }

  /// What multiplies W and r of a group's levels, by the user's coordinates and by the latents.
  void scale_information(std::size_t i, std::size_t g) {
    constexpr double least_slope = 1e-3;
    if (options_.parametrization != Parametrization::automatic) return;
    const GroupMode& mode = start_.predictors[i].groups[g];
    std::vector<double> by_user(layout_.size());
    for (std::size_t other = 0; other < data_.predictors.size(); ++other) {
      const PredictorData& p = data_.predictors[other];
      const double slope = mode.by_argument[static_cast<std::size_t>(p.argument)];
      if (std::abs(slope) < least_slope || (p.design != nullptr && !p.intercept)) continue;
      const Matrix standardised = inverse_upper(raw_from_standardised(p));  // its first row: the argument's mean
      for (std::size_t j = 0; j < p.coefficients(); ++j) {
        by_user[layout_.blocks[other].first + j] = slope * standardised(0, j);
      }
    }
    for (std::size_t h = 0; h < mode.by_log_sd.size(); ++h) {
      for (std::size_t k = 0; k < mode.by_log_sd[h].size(); ++k) {
        const double slope = mode.by_log_sd[h][k];
        if (std::abs(slope) >= least_slope) by_user[layout_.blocks[i].groups[h].sd + k] = slope;
      }
    }
    const std::size_t place = place_of_[i][g];
    GroupPosterior& posterior = model_.posteriors[place];
    std::vector<double> by_latent(by_user.size());
    for (std::size_t u = 0; u < by_user.size(); ++u) {
      if (by_user[u] == 0) continue;
      posterior.information_by.push_back(u);
      posterior.information_slope.push_back(by_user[u]);
      posterior.information_origin.push_back(model_.shift[u]);
      for (std::size_t w = 0; w < by_latent.size(); ++w) by_latent[w] += by_user[u] * model_.to_user(u, w);
    }
    std::vector<std::int32_t> places;
    std::vector<float> slopes;
    for (std::size_t w = 0; w < by_latent.size(); ++w) {
      if (by_latent[w] == 0) continue;
      places.push_back(static_cast<std::int32_t>(w));
      slopes.push_back(static_cast<float>(by_latent[w]));
    }
    if (places.empty()) return;
    const auto count = static_cast<int>(places.size());
    model_.indices.push_back(std::move(places));
    model_.groups[place].information_scale = {count, model_.indices.back().data(), keep(std::move(slopes))};
  }

  void add_horseshoe(std::size_t i) {
    const LatentLayout::Block& block = layout_.blocks[i];
    if (!block.has_horseshoe) return;
    const PredictorData& p = data_.predictors[i];
    const Prior& prior = priors_.predictors[i].coefficients.front();
    const std::size_t k = p.columns();
    for (std::size_t j = 0; j < k; ++j) map_number(block.horseshoe.local + j, 0, 1);
    map_number(block.horseshoe.global, std::log(prior.arguments[1]) - 1, 0.7);
    map_number(block.horseshoe.global + 1, std::log(prior.arguments[3]), 0.5);

    std::vector<PriorRow> rows;
    for (PriorRow& row : prior_rows(data_, p, priors_.predictors[i])) {
      if (row.prior.kind == PriorKind::horseshoe) rows.push_back(std::move(row));
    }
    Term term = functional_term(i, rows);
    term.density = DensityKind::horseshoe;
    term.constant = static_cast<double>(rows.size()) * log_normalizer(prior);
    term.argument_count = 4;
    std::vector<float> own(k * k);
    for (std::size_t j = 0; j < k; ++j) own[j * k + j] = 1;
    term.arguments[1].part_count = 1;
    term.arguments[1].parts[0] = dense_part(block.horseshoe.local, k, keep(std::move(own)));
    term.arguments[2] = number_argument(block.horseshoe.global, 0);
    term.arguments[3] = number_argument(block.horseshoe.global + 1, 0);
    model_.terms.push_back(term);

    const HorseshoeScales scales = horseshoe_scales(prior);
    for (std::size_t j = 0; j < k; ++j) add_number_prior(scales.local, block.horseshoe.local + j, 0);
    add_number_prior(scales.global, block.horseshoe.global, 0);
    add_number_prior(scales.slab, block.horseshoe.global + 1, 0);
  }

  static Part dense_part(std::size_t first, std::size_t columns, const float* x) {
    Part part;
    part.kind = PartKind::dense;
    part.first = static_cast<int>(first);
    part.columns = static_cast<int>(columns);
    part.x = x;
    return part;
  }

  /// a = u of the parameter at `at`, plus `more`.
  Predictor number_argument(std::size_t at, double more) const {
    Predictor predictor;
    predictor.part_count = 1;
    predictor.parts[0].first = static_cast<int>(at);
    predictor.parts[0].scale = static_cast<float>(model_.to_user(at, at));
    predictor.constant = static_cast<float>(model_.shift[at] + more);
    return predictor;
  }

  /// A prior density at the coordinate u of a parameter with a latent of its own.
  void add_number_prior(const PriorDensity& density, std::size_t at, double more) {
    Term term;
    term.density = density.kind;
    term.rows = 1;
    term.constant = density.log_normalizer;
    for (std::size_t c = 0; c < 3; ++c) term.constants[c] = keep({static_cast<float>(density.constants[c])});
    term.arguments[0] = number_argument(at, more);
    model_.terms.push_back(term);
  }

  void add_sd_priors(std::size_t i, std::size_t g, double) {
    const std::vector<Prior>& priors = priors_.predictors[i].groups[g].sd;
    for (std::size_t e = 0; e < priors.size(); ++e) {
      add_number_prior(prior_density(priors[e], Support::positive), layout_.blocks[i].groups[g].sd + e, 0);
    }
  }

  void add_correlation_prior(const Prior& prior, const LatentLayout::Group& place, std::size_t q, std::size_t pairs,
                             const GroupBlock&) {
    const double eta = prior.arguments.front();
    for (std::size_t row = 1, pair = 0; row < q; ++row) {
      for (std::size_t column = 0; column < row; ++column, ++pair) {
        PriorDensity density = prior_density(prior, Support::correlation);
        density.constants[0] = lkj_exponent(eta, q, column);
        density.log_normalizer = lkj_log_normalizer(eta, q) / static_cast<double>(pairs);
        add_number_prior(density, place.correlation + pair, 0);
      }
    }
  }

  /// Rows of priors on predictor i's coefficients as the dense part of a term: of each the distance from the prior's
  /// location, which is exact where the location is large.
  Term functional_term(std::size_t i, const std::vector<PriorRow>& rows) {
    const BlockNormal& normal = start_.predictors[i];
    const std::size_t c = data_.predictors[i].coefficients();
    const std::size_t width = rows.front().row.size();  // C, and for thresholds those above the first
    std::vector<float> x, offset;
    for (const PriorRow& row : rows) {
      double at_mean = row.shift;
      for (std::size_t k = 0; k < c; ++k) at_mean += row.row[k] * normal.mean[k];
      offset.push_back(static_cast<float>(at_mean - location(row)));
      std::vector<double> sums(row.row);
      std::fill_n(sums.begin(), c, 0.0);
      for (std::size_t k = 0; k < c; ++k) {
        if (row.row[k] == 0) continue;  // as most are
        for (std::size_t j = k; j < c; ++j) sums[j] += row.row[k] * normal.inverse(k, j);
      }
      for (const double sum : sums) x.push_back(static_cast<float>(sum));
    }
    Term term;
    term.rows = static_cast<std::int64_t>(rows.size());
    term.arguments[0].part_count = 1;
    term.arguments[0].parts[0] = dense_part(layout_.blocks[i].first, width, keep(std::move(x)));
    term.arguments[0].offset = keep(std::move(offset));
    return term;
  }

  /// What a real prior's density subtracts from its argument first.
  static double location(const PriorRow& row) {
    if (row.support != Support::real || row.prior.kind == PriorKind::horseshoe) return 0;
    return constants_of(row.prior, row.support)[0];
  }

  /// Priors of one kernel density as one term.
  void add_rows(std::size_t i, const std::vector<PriorRow>& all) {
    std::vector<DensityKind> done;
    for (const PriorRow& first : all) {
      if (first.prior.kind == PriorKind::horseshoe) continue;
      if (first.prior.kind == PriorKind::flat && first.support == Support::real) continue;
      const DensityKind kind = density_of(first.prior.kind, first.support);
      if (std::ranges::find(done, kind) != done.end()) continue;
      done.push_back(kind);
      std::vector<PriorRow> rows;
      std::vector<float> constants[3];
      double normalizer = 0;
      for (const PriorRow& row : all) {
        if (row.prior.kind == PriorKind::horseshoe) continue;
        if (row.prior.kind == PriorKind::flat && row.support == Support::real) continue;
        const PriorDensity density = prior_density(row.prior, row.support);
        if (density.kind != kind) continue;
        rows.push_back(row);
        for (std::size_t c = 0; c < 3; ++c) {
          constants[c].push_back(static_cast<float>(density.constants[c] - (c == 0 ? location(row) : 0)));
        }
        normalizer += density.log_normalizer;
      }
      Term term = functional_term(i, rows);
      term.density = kind;
      term.constant = normalizer;
      for (int c = 0; c < 3; ++c) term.constants[c] = keep(std::move(constants[c]));
      model_.terms.push_back(term);
    }
  }

  void add_priors(std::size_t i) {
    const PredictorData& p = data_.predictors[i];
    if (p.coefficients() > 0) add_rows(i, prior_rows(data_, p, priors_.predictors[i]));
  }
  void add_threshold_priors() {
    if (data_.thresholds > 0) add_rows(0, threshold_rows(data_, priors_));
  }

  /// The likelihood: of each predictor the whitened design X R^-1, the linear predictor at the mean as offset, groups.
  void add_data_term() {
    Term term;
    term.density = data_.density;
    term.subsampled = true;
    term.rows = static_cast<std::int64_t>(data_.size());
    term.constant = data_.left_out;
    for (std::size_t c = 0; c < 3; ++c) {
      if (!data_.constants[c].empty()) term.constants[c] = keep(to_float(data_.constants[c]));
    }
    if (!data_.weights.empty()) term.weights = keep(to_float(data_.weights));
    term.argument_count = data_.thresholds > 0 ? 3 : static_cast<int>(data_.predictors.size());
    for (std::size_t i = 0; i < data_.predictors.size(); ++i) {
      Predictor& argument = term.arguments[data_.predictors[i].argument];
      fill_argument(i, argument);
      for (std::size_t g = 0; g < data_.predictors[i].groups.size(); ++g) {
        const GroupData& one = data_.predictors[i].groups[g];
        Part part;
        part.kind = PartKind::gather;
        part.columns = static_cast<int>(one.effects());
        part.group = static_cast<int>(place_of_[i][g]);
        if (!one.covariates.empty()) part.x = keep(one.covariates);
        model_.indices.push_back(one.level);
        part.index = model_.indices.back().data();
        argument.parts[argument.part_count++] = part;
      }
    }
    for (const int argument : {1, 2}) {
      if (data_.thresholds > 1) add_threshold_part(argument == 2, term.arguments[argument]);
    }
    model_.terms.push_back(term);
  }

  void fill_argument(std::size_t i, Predictor& argument) {
    const PredictorData& p = data_.predictors[i];
    const std::size_t c = p.coefficients();
    const std::vector<double> offset = argument_offset(data_, p);
    const bool constant_offset = std::ranges::all_of(offset, [&](double v) { return v == offset.front(); });
    if (p.design == nullptr && constant_offset && c == 1) {
      argument = number_argument(layout_.blocks[i].first, offset.empty() ? 0 : offset.front());
      return;
    }
    const std::size_t n = data_.size();
    std::vector<float> x(n * c);
    std::vector<float> at_mean(n);
    const BlockNormal& normal = start_.predictors[i];
    const auto blocks = (static_cast<std::int64_t>(n) + matrix_rows - 1) / matrix_rows;
#pragma omp parallel
    {
      std::vector<double> raw(static_cast<std::size_t>(matrix_rows) * c);
#pragma omp for schedule(static)
      for (std::int64_t b = 0; b < blocks; ++b) {
        const std::int64_t begin = b * matrix_rows;
        const std::int64_t count = std::min(matrix_rows, static_cast<std::int64_t>(n) - begin);
        if (c > 0) data_.standardised(p, begin, count, raw.data());
        multiply_upper(raw.data(), static_cast<std::size_t>(count), normal.inverse,
                       x.data() + static_cast<std::size_t>(begin) * c);
        for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r) {
          const std::size_t at = static_cast<std::size_t>(begin) + r;
          double eta = offset.empty() ? 0 : offset[at];
          for (std::size_t k = 0; k < c; ++k) eta += raw[r * c + k] * normal.mean[k];
          at_mean[at] = static_cast<float>(eta);
        }
      }
    }
    argument.offset = keep(std::move(at_mean));
    if (c == 0) return;
    argument.part_count = 1;
    argument.parts[0] = dense_part(layout_.blocks[i].first, c, keep(std::move(x)));
  }

  /// The user's coordinates in another order than the latents': the increments directly after the first threshold, the
  /// coefficients after them.
  void bring_thresholds_together() {
    const std::size_t count = data_.thresholds - 1;
    const std::size_t h = layout_.size();
    std::vector<std::size_t> from{0};
    for (std::size_t k = 0; k < count; ++k) from.push_back(layout_.increments + k);
    for (std::size_t j = 1; j < layout_.increments; ++j) from.push_back(j);
    for (std::size_t j = from.size(); j < h; ++j) from.push_back(j);
    const std::vector<Parameter> parameters = model_.parameters;
    const std::vector<double> shift = model_.shift;
    const Matrix to_user = model_.to_user;
    for (std::size_t i = 0; i < h; ++i) {
      model_.parameters[i] = parameters[from[i]];
      model_.shift[i] = shift[from[i]];
      std::copy_n(to_user.row(from[i]), h, model_.to_user.values.begin() + static_cast<std::ptrdiff_t>(i * h));
    }
    for (GroupPosterior& group : model_.posteriors) {  // mu's: levels do not move with the increments
      if (group.coefficients == 0) continue;
      const std::size_t c = group.coefficients;
      const std::size_t columns = group.coupling.size() / (group.levels * group.effects.size());
      std::vector<float> coupling;
      for (std::size_t r = 0; r < group.coupling.size(); r += columns) {
        coupling.push_back(group.coupling[r]);
        coupling.insert(coupling.end(), count, 0.0F);
        coupling.insert(coupling.end(), group.coupling.begin() + static_cast<std::ptrdiff_t>(r + 1),
                        group.coupling.begin() + static_cast<std::ptrdiff_t>(r + columns));
      }
      group.coupling = std::move(coupling);
      group.coefficients = c + count;
      group.origin.assign(model_.shift.begin(), model_.shift.begin() + static_cast<std::ptrdiff_t>(c + count));
    }
  }

  void add_threshold_part(bool upper, Predictor& argument) {
    const std::size_t columns = data_.thresholds - 1;
    std::vector<double> x(data_.size() * columns);
    threshold_columns(data_, upper, 0, static_cast<std::int64_t>(data_.size()), x.data());
    argument.parts[argument.part_count++] = dense_part(layout_.increments, columns, keep(to_float(x)));
  }

  const ModelData& data_;
  const TrainOptions& options_;
  ResolvedPriors priors_;
  LatentLayout layout_;
  Start start_;
  std::vector<std::vector<std::size_t>> place_of_;  // of each predictor's groups among the model's
  Model model_;
};

}  // namespace

Model build_model(const ModelData& data, const TrainOptions& options) { return ModelBuilder(data, options).build(); }

}  // namespace jensen
