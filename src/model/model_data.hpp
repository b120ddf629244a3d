#pragma once
/// \file The rows of a model, checked and standardised: responses, the columns of each predictor, groups.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "design/design.hpp"
#include "jensen/options.hpp"
#include "model/families.hpp"

namespace jensen {

/// Effects of one group term, row by row in the model's order.
struct GroupData {
  const GroupDesign* design = nullptr;
  std::vector<std::int32_t> level;  ///< N
  std::vector<float> covariates;    ///< N x q; empty if q = 1 and all are 1
  std::vector<double> sd;           ///< q: sd of each covariate over the rows; 1 for one that is constant
  bool in_head = false;             ///< few levels beside a larger group: approximated jointly with the coefficients

  std::size_t effects() const { return design->effects().size(); }
};

/// The linear predictor of one parameter: of the mean, of a category, of sigma, ... A parameter that is one number is
/// a predictor without a design, whose only coefficient is the parameter on its link's scale.
struct PredictorData {
  std::string parameter;  ///< mu, sigma, muB, ...
  std::string infix;      ///< between b_ and a coefficient's name: nothing for mu, sigma_
  int argument = 0;       ///< of the kernel density
  Link link = Link::identity;
  const PredictorDesign* design = nullptr;  ///< null: one number
  bool intercept = true;                    ///< of the cumulative family: minus the first threshold
  bool centred = true;                      ///< columns are measured from their means
  std::vector<double> offset;               ///< N, or empty
  std::vector<double> center;               ///< K: column means; 0 if not centred
  std::vector<double> scale;                ///< K: column sds; root mean squares if not centred
  std::vector<double> prior_unit;           ///< K: column sds (n - 1), or a part of the range of what few rows have
  std::vector<GroupData> groups;

  std::size_t columns() const { return scale.size(); }
  /// C: the intercept, if any, first.
  std::size_t coefficients() const { return columns() + (intercept ? 1 : 0); }
  /// What the offsets add to the predictor on average, in the data's unit; with a log link to the logarithm of a mean.
  double offset_share() const;
};

struct ModelData {
  const Design* design = nullptr;
  Family family = Family::gaussian;
  Link link = Link::identity;
  DensityKind density{};
  std::int64_t batch = 0;           ///< B
  std::vector<std::uint32_t> rows;  ///< N of the table, in the model's order: with groups, batch after batch
  std::vector<double> response;     ///< N: as given; its logarithm for lognormal; the category from 0
  std::array<std::vector<double>, 3> constants;  ///< of the kernel density, N each; empty if all are 0
  std::vector<double> weights;                   ///< N, or empty
  std::vector<double> log_se;                    ///< N: log of the known sigma, in units of eta_scale; or empty
  double left_out = 0;                           ///< what the kernel density leaves out, over all rows
  std::size_t thresholds = 0;                    ///< of the cumulative family: one less than there are categories
  std::vector<PredictorData> predictors;         ///< of mu (of each category but the first), then of the others

  double response_mean = 0, response_sd = 0;  ///< on the scale of `response`; sd: without an offset on that scale
  /// What the mean's predictor is measured in: the data's own unit, or for families of location and scale the
  /// response's sd about its mean.
  double eta_center = 0, eta_scale = 1;

  std::size_t size() const { return rows.size(); }
  bool has_groups() const;
  /// Effects of all groups' levels.
  std::int64_t level_effects() const;
  /// Rows `begin` .. of predictor p, count x C: standardised columns, the intercept's 1.
  void standardised(const PredictorData& p, std::int64_t begin, std::int64_t count, double* out) const;
};

/// gaussian, student_t and lognormal: mu is a location, sigma a scale.
bool has_location_and_scale(Family family);

/// Throws InputError: missing values under MissingPolicy::error, a response outside the family's range (row named) or
/// constant, an addition that the family has not, a constant column, one that is a linear combination of those before
/// it without a prior of its own.
ModelData read_model_data(Design& design, const std::vector<ParameterFormula>& formulas, const Table& table,
                          const TrainOptions& options);

}  // namespace jensen
