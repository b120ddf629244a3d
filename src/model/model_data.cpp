#include "model/model_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "batches.hpp"
#include "jensen/errors.hpp"
#include "model/collinear.hpp"
#include "model/column_moments.hpp"
#include "model/defaults.hpp"
#include "model/response.hpp"
#include "shuffle.hpp"

namespace jensen {
namespace {

constexpr std::int64_t scan_rows = 4096;
constexpr std::size_t most_categories = 16;

void check_additions(const Design& design, Family family) {
  const FamilyInfo& info = info_of(family);
  const auto refuse = [&](std::string_view addition, std::string_view families) {
    throw InputError(
        fmt::format("{} does not go with the {} family (formula); it is for {}", addition, info.name, families));
  };
  if (design.has_trials() && !info.trials) refuse("trials()", "binomial");
  if (design.has_censoring() && !info.censoring) refuse("cens()", "exponential and weibull");
  if (design.has_se() && !has_location_and_scale(family)) refuse("se()", "gaussian, student_t and lognormal");
  if (info.trials && !design.has_trials()) {
    throw InputError("the binomial family needs the number of trials (formula); write y | trials(n) ~ ...");
  }
}

/// The order of rows: as they stand, or with groups and minibatches batch after batch of a shuffle, within a batch by
/// the levels of the largest group, so that rows of a level are neighbours.
std::vector<std::uint32_t> order_rows(const Design& design, std::int64_t batch, std::uint64_t seed) {
  const std::vector<std::uint32_t>& complete = design.complete_rows();
  const GroupDesign* largest = nullptr;
  for (const PredictorDesign& predictor : design.predictors()) {
    for (const GroupDesign& group : predictor.groups()) {
      if (largest == nullptr || group.levels() > largest->levels()) largest = &group;
    }
  }
  if (largest == nullptr) return complete;
  const auto n = static_cast<std::int64_t>(complete.size());
  const std::int64_t batches = batch_count(n, batch);
  std::vector<std::uint32_t> order(complete);
  if (batches > 1) {
    const Shuffle shuffle(static_cast<std::uint32_t>(n), seed, 0);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = complete[shuffle(static_cast<std::uint32_t>(i))];
  }
  for (std::int64_t b = 0; b < batches; ++b) {
    std::stable_sort(order.begin() + batch_begin(n, batches, b), order.begin() + batch_begin(n, batches, b + 1),
                     [&](std::uint32_t a, std::uint32_t c) { return largest->level(a) < largest->level(c); });
  }
  return order;
}

void read_response(Design& design, const Table& table, ModelData& data) {
  const Family family = data.family;
  const bool categories = family == Family::cumulative || family == Family::categorical;
  if (categories) {
    if (design.response_levels().size() > most_categories) {
      throw InputError(fmt::format("column '{}' has {} categories, more than {} (--family {}); merge some",
                                   design.response_name(), design.response_levels().size(), most_categories,
                                   to_string(family)));
    }
  } else if (design.response_is_text()) {
    throw InputError(fmt::format("{}: column '{}' is text, but the {} family needs {}; recode it as numbers",
                                 table.source(), design.response_name(), to_string(family), info_of(family).response));
  }
  const std::size_t n = data.rows.size();
  data.response.resize(n);
  std::size_t first_bad = n;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t row = data.rows[i];
    data.response[i] = categories ? design.response_code(row) : design.response(row);
    if (!categories &&
        response_problem(family, {data.response[i], design.trials(row), design.censored(row)}) != nullptr &&
        (first_bad == n || row < data.rows[first_bad])) {
      first_bad = i;
    }
  }
  if (first_bad < n) {
    const std::uint32_t row = data.rows[first_bad];
    const double y = data.response[first_bad];
    if (design.has_trials() && y > design.trials(row)) {
      throw InputError(fmt::format("{}: row {}: {} successes in {} trials ({} family); correct the row", table.source(),
                                   row + 1, y, design.trials(row), to_string(family)));
    }
    throw InputError(
        fmt::format("{}: row {}, column '{}': {} is not {} ({} family); correct the row or choose another family",
                    table.source(), row + 1, design.response_name(), y,
                    response_problem(family, {y, design.trials(row), design.censored(row)}), to_string(family)));
  }
  const auto [least, most] = std::minmax_element(data.response.begin(), data.response.end());
  if (*least == *most && !design.has_trials() && !design.has_se()) {
    if (data.size() == 1) {
      throw InputError(fmt::format("{}: one row is left to learn from, which shows no spread of '{}'; give more",
                                   table.source(), design.response_name()));
    }
    throw InputError(
        fmt::format("{}: column '{}': the response is {} in every row, so there is nothing to learn; check the column",
                    table.source(), design.response_name(), *least));
  }
  check_scale(design.response_name(), std::max(std::abs(*least), std::abs(*most)));
  if (family == Family::lognormal) {
    for (double& y : data.response) y = std::log(y);
  }
}

void find_moments(const Design& design, ModelData& data) {
  const auto n = static_cast<double>(data.size());
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    sum += data.response[i];
    weight += data.family == Family::binomial ? design.trials(data.rows[i]) : 1;
  }
  data.response_mean = sum / weight;
  // Of what an offset on the response's own scale leaves, which is what coefficients and sigma are to explain.
  const PredictorDesign& mu = design.predictors().front();
  const bool offset = has_location_and_scale(data.family) && data.link == Link::identity && mu.has_offset();
  const auto rest = [&](std::size_t i) { return data.response[i] - (offset ? mu.offset(data.rows[i]) : 0); };
  double rest_sum = 0, squares = 0;
  for (std::size_t i = 0; i < data.size(); ++i) rest_sum += rest(i);
  const double rest_mean = offset ? rest_sum / n : data.response_mean;
  for (std::size_t i = 0; i < data.size(); ++i) squares += (rest(i) - rest_mean) * (rest(i) - rest_mean);
  data.response_sd = std::sqrt(squares / std::max(n - 1, 1.0));
  check_scale(design.response_name(), data.response_sd);
  if (!has_location_and_scale(data.family)) return;
  data.eta_center = data.predictors.front().intercept ? data.response_mean : 0;
  data.eta_scale = data.response_sd > 0 ? data.response_sd : 1;
}

/// What the kernel density reads of each row.
void make_constants(const Design& design, ModelData& data) {
  const std::size_t n = data.size();
  for (auto& column : data.constants) column.resize(n);
  const bool scaled = has_location_and_scale(data.family);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t row = data.rows[i];
    ResponseRow given{data.response[i], design.trials(row), design.censored(row)};
    const double weight = design.weight(row);
    if (design.has_weights()) data.weights.push_back(weight);
    if (data.family == Family::lognormal) given.y = std::exp(given.y);
    if (data.family == Family::cumulative) {
      given.y = data.response[i] == 0 ? 0 : (data.response[i] == static_cast<double>(data.thresholds) ? 2 : 1);
    }
    data.left_out += weight * left_out(data.family, data.link, given);
    if (scaled) {
      given.y = (data.response[i] - data.eta_center) / data.eta_scale;
      data.left_out -= weight * std::log(data.eta_scale);
    }
    const auto constants =
        scaled ? response_constants(data.density, given) : response_constants(data.family, data.link, given);
    for (std::size_t c = 0; c < 3; ++c) data.constants[c][i] = constants[c];
    if (design.has_se()) data.log_se.push_back(std::log(design.se(row) / data.eta_scale));
  }
  for (auto& column : data.constants) {
    if (std::ranges::all_of(column, [](double v) { return v == 0; })) column.clear();
  }
}

GroupData read_group(const GroupDesign& design, const std::vector<std::uint32_t>& rows) {
  GroupData group;
  group.design = &design;
  const std::size_t q = design.effects().size();
  if (q > static_cast<std::size_t>(max_effects)) {
    throw InputError(fmt::format("({} effects | {}) is more than {} (formula); use fewer, or a group's interaction", q,
                                 design.group(), max_effects));
  }
  group.level.reserve(rows.size());
  for (const std::uint32_t row : rows) group.level.push_back(design.level(row));
  const bool intercept_only = q == 1 && design.effects().front() == "Intercept";
  group.sd.assign(q, 1.0);
  if (intercept_only) return group;
  group.covariates.resize(rows.size() * q);
  std::vector<double> x(static_cast<std::size_t>(scan_rows) * q);
  std::vector<double> sum(q), squares(q);
  for (std::size_t begin = 0; begin < rows.size(); begin += static_cast<std::size_t>(scan_rows)) {
    const std::size_t count = std::min(static_cast<std::size_t>(scan_rows), rows.size() - begin);
    design.fill(std::span(rows).subspan(begin, count), x.data());
    for (std::size_t i = 0; i < count * q; ++i) {
      group.covariates[begin * q + i] = static_cast<float>(x[i]);
      sum[i % q] += x[i];
      squares[i % q] += x[i] * x[i];
    }
  }
  const auto n = static_cast<double>(rows.size());
  for (std::size_t e = 0; e < q; ++e) {
    const double mean = sum[e] / n;
    const double variance = squares[e] / n - mean * mean;
    if (variance > 1e-10 * mean * mean)
      group.sd[e] = std::sqrt(variance);
    else if (mean != 0)
      group.sd[e] = std::abs(mean);
  }
  return group;
}

/// Levels of a small group depend on those of a larger one that it is crossed with. The levels of all groups but the
/// largest that are few enough are approximated jointly with the coefficients, and the others given them.
void choose_head_groups(PredictorData& p) {
  constexpr std::size_t most_effects = 256;   // of one group
  constexpr std::size_t most_together = 256;  // the joint normal has so many coordinates more
  constexpr std::size_t most_coupling = 2e8;  // floats
  std::vector<std::size_t> order(p.groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto size = [&](std::size_t g) { return p.groups[g].design->levels() * p.groups[g].effects(); };
  std::ranges::stable_sort(order, {}, size);
  std::size_t total = 0, others = 0;
  for (const std::size_t g : order) others += size(g);
  for (std::size_t k = 0; k + 1 < order.size(); ++k) {
    const std::size_t effects = size(order[k]);
    others -= effects;
    if (effects > most_effects || total + effects > most_together ||
        others * (p.coefficients() + total + effects) > most_coupling) {
      break;
    }
    total += effects;
    p.groups[order[k]].in_head = true;
  }
}

void read_predictor(ModelData& data, PredictorData& p) {
  if (p.design == nullptr) return;
  find_column_moments(data, p);
  if (p.design->has_offset()) {
    for (const std::uint32_t row : data.rows) p.offset.push_back(p.design->offset(row));
  }
  for (const GroupDesign& group : p.design->groups()) p.groups.push_back(read_group(group, data.rows));
  choose_head_groups(p);
}

/// One predictor for mu, or for each category but the first; then one for each other parameter of the family.
std::vector<PredictorData> make_predictors(const Design& design, Family family, Link link,
                                           const std::vector<ParameterFormula>& formulas) {
  std::vector<PredictorData> predictors;
  const auto add = [&](std::string parameter, std::string infix, Link of, const PredictorDesign* columns,
                       bool intercept, bool centred) {
    PredictorData p;
    p.parameter = std::move(parameter);
    p.infix = std::move(infix);
    p.argument = static_cast<int>(predictors.size());
    p.link = of;
    p.design = columns;
    p.intercept = intercept;
    p.centred = centred;
    predictors.push_back(std::move(p));
  };
  const PredictorDesign& mu = design.predictors().front();
  if (family == Family::categorical) {
    for (std::size_t k = 1; k < design.response_levels().size(); ++k) {
      const std::string name = "mu" + design.response_levels()[k];
      add(name, name + "_", link, &mu, mu.intercept(), mu.intercept());
    }
    return predictors;
  }
  if (family == Family::cumulative && !mu.intercept()) {
    throw InputError("the cumulative family has thresholds in place of an intercept (formula); leave '0 +' out");
  }
  add("mu", "", link, &mu, mu.intercept(), mu.intercept());
  for (const FamilyParameter& other : info_of(family).others) {
    if (other.name == "sigma" && design.has_se()) {
      add("sigma", "sigma_", other.link, nullptr, false, false);  // known: no coefficient
      continue;
    }
    const auto found = std::ranges::find(formulas, other.name, &ParameterFormula::parameter);
    const PredictorDesign* columns = nullptr;
    if (found != formulas.end()) {
      columns = &design.predictors()[1 + static_cast<std::size_t>(found - formulas.begin())];
    }
    const bool intercept = columns == nullptr || columns->intercept();
    add(std::string(other.name), std::string(other.name) + "_", other.link, columns, intercept,
        columns != nullptr && columns->intercept());
  }
  return predictors;
}

void check_formulas(const std::vector<ParameterFormula>& formulas, const Design& design, Family family) {
  for (const ParameterFormula& formula : formulas) {
    const auto& others = info_of(family).others;
    if (std::ranges::find(others, formula.parameter, &FamilyParameter::name) == others.end()) {
      std::string have;
      for (const FamilyParameter& other : others) have += fmt::format("{}{}", have.empty() ? "" : ", ", other.name);
      throw InputError(fmt::format("the {} family has no {} (--formula-{}); {}", to_string(family), formula.parameter,
                                   formula.parameter,
                                   have.empty() ? "it has no parameter but mu" : "beside mu it has " + have));
    }
    if (formula.parameter == "sigma" && design.has_se()) {
      throw InputError("sigma is known by se() (--formula-sigma); leave one of the two out");
    }
  }
}

}  // namespace

bool has_location_and_scale(Family family) {
  return family == Family::gaussian || family == Family::student_t || family == Family::lognormal;
}

double PredictorData::offset_share() const {
  if (offset.empty()) return 0;
  double sum = 0;
  if (link != Link::log) {
    for (const double value : offset) sum += value;
    return sum / static_cast<double>(offset.size());
  }
  const double largest = *std::ranges::max_element(offset);  // without overflow
  for (const double value : offset) sum += std::exp(value - largest);
  return largest + std::log(sum / static_cast<double>(offset.size()));
}

bool ModelData::has_groups() const {
  return std::ranges::any_of(predictors, [](const PredictorData& p) { return !p.groups.empty(); });
}

std::int64_t ModelData::level_effects() const {
  std::int64_t total = 0;
  for (const PredictorData& p : predictors) {
    for (const GroupData& g : p.groups) total += static_cast<std::int64_t>(g.design->levels() * g.effects());
  }
  return total;
}

void ModelData::standardised(const PredictorData& p, std::int64_t begin, std::int64_t count, double* out) const {
  const std::size_t c = p.coefficients();
  const auto n = static_cast<std::size_t>(count);
  if (p.design == nullptr || p.columns() == 0) {
    std::fill(out, out + n * c, 1.0);
    return;
  }
  const std::size_t k = p.columns();
  std::vector<double> raw(n * k);
  p.design->fill(std::span(rows).subspan(static_cast<std::size_t>(begin), n), raw.data());
  for (std::size_t i = 0; i < n; ++i) {
    double* row = out + i * c;
    if (p.intercept) *row++ = 1;
    for (std::size_t j = 0; j < k; ++j) row[j] = (raw[i * k + j] - p.center[j]) / p.scale[j];
  }
}

ModelData read_model_data(Design& design, const std::vector<ParameterFormula>& formulas, const Table& table,
                          const TrainOptions& options) {
  if (options.missing == MissingPolicy::error && design.complete_rows().size() < design.table_rows()) {
    throw InputError(
        fmt::format("{}: row {}, column '{}': missing value; complete the row, or drop such rows (--na drop)",
                    table.source(), design.first_missing().row + 1, design.first_missing().column));
  }
  ModelData data;
  data.design = &design;
  data.family = options.family;
  data.link = options.link.value_or(info_of(options.family).links.front());
  data.density = density_of(data.family, data.link);
  check_formulas(formulas, design, data.family);
  check_additions(design, data.family);

  if (data.family == Family::cumulative || data.family == Family::categorical) design.learn_response_levels();
  std::int64_t levels = 0;
  for (const PredictorDesign& predictor : design.predictors()) {
    for (const GroupDesign& group : predictor.groups()) {
      levels += static_cast<std::int64_t>(group.levels() * group.effects().size());
    }
  }
  std::size_t groups = 0;
  for (const PredictorDesign& predictor : design.predictors()) groups += predictor.groups().size();
  if (data.family == Family::categorical) groups *= design.response_levels().size();
  if (groups > static_cast<std::size_t>(max_groups)) {
    throw InputError(
        fmt::format("the model has {} group terms, more than {} (formula); use fewer", groups, max_groups));
  }
  const auto n = static_cast<std::int64_t>(design.complete_rows().size());
  data.batch = resolve_batch(options.batch, n, 2 * levels);
  data.rows = order_rows(design, std::max<std::int64_t>(data.batch, 1), options.seed);

  read_response(design, table, data);
  if (data.family == Family::cumulative) data.thresholds = design.response_levels().size() - 1;
  data.predictors = make_predictors(design, data.family, data.link, formulas);
  find_moments(design, data);
  make_constants(design, data);
  for (PredictorData& p : data.predictors) read_predictor(data, p);
  if (data.predictors.front().coefficients() == 0 && !data.has_groups()) {
    throw InputError("the formula has no coefficients (formula); add a term or the intercept");
  }
  for (const PredictorData& p : data.predictors) check_collinear(data, p, options.priors);
  return data;
}

}  // namespace jensen
