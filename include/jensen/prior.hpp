#pragma once
/// \file Priors, as a user writes them: "b ~ normal(0, 2.5)". docs/priors.md has the densities.

#include <string>
#include <string_view>
#include <vector>

#include "jensen/export.h"

namespace jensen {

/// Which distribution. What follows the name are its arguments, in Stan's parametrisations.
enum class PriorKind {
  flat,            ///< (): improper, constant
  normal,          ///< (location, scale)
  student_t,       ///< (df, location, scale)
  cauchy,          ///< (location, scale)
  laplace,         ///< (location, scale)
  logistic,        ///< (location, scale)
  half_normal,     ///< (scale)
  half_student_t,  ///< (df, scale)
  half_cauchy,     ///< (scale)
  exponential,     ///< (rate)
  gamma,           ///< (shape, rate)
  inverse_gamma,   ///< (shape, scale)
  lognormal,       ///< (location, scale) of the logarithm
  uniform,         ///< (lower, upper)
  beta,            ///< (a, b)
  lkj,             ///< (eta)
  horseshoe,       ///< (df, scale_global, df_slab, scale_slab): the regularised horseshoe
};
/// The name as in a prior's text: "normal".
JENSEN_API std::string_view to_string(PriorKind kind);

/// A prior on one parameter or on a class of them, always on the scale of the data's own columns.
///
/// `target` is a class: `b` (every coefficient but the intercept), `Intercept`, `sd` and `cor` (of group effects),
/// `sigma`, `nu`, `shape`, `phi`, `zi`, `hu`; or a part of a class, which wins over it: one coefficient `b_NAME`, one
/// group's `sd_GROUP`, `cor_GROUP`, one coefficient's of a group `sd_GROUP__NAME`. For the predictor of another
/// parameter than the mean: `b_sigma`, `Intercept_sigma`, `b_sigma_NAME`, and likewise for the others.
/// `Intercept_centered` is the intercept of the model whose predictors are centred, eta at the mean of the predictors;
/// the default prior is on it, as in rstanarm, because its scale does not depend on where the predictors' zeros are.
/// A prior on `Intercept` replaces it.
struct Prior {
  std::string target;
  PriorKind kind = PriorKind::flat;
  std::vector<double> arguments;  ///< in the order of the call, as listed at PriorKind

  friend bool operator==(const Prior&, const Prior&) = default;
};

/// Reads "b ~ normal(0, 2.5)". Arguments may be named (`scale = 2.5`), those without a name first. Half distributions
/// are also read with their location, which is 0: half_normal(0, 1). The rate of exponential may be a quotient, 1/MEAN.
/// Arguments of horseshoe that are left out are 1, 1, 4, 2. Any target is read: whether the model has it is not known
/// here. Throws InputError with a caret under the place.
JENSEN_API Prior parse_prior(std::string_view text);
/// The text that parse_prior reads back to the same prior (bit for bit). Half distributions have their location in it.
JENSEN_API std::string to_string(const Prior& prior);

/// Where a parameter lives.
enum class Support {
  real,         ///< any number
  positive,     ///< above 0
  unit,         ///< between 0 and 1
  increasing,   ///< any number above the one before it, in a block of several
  correlation,  ///< a correlation matrix
};

/// The prior as it is meant on a parameter of that support. On a positive one, normal, student_t and cauchy mean their
/// halves if their location is `location_of_zero`; between 0 and 1, flat is beta(1, 1), as is uniform(0, 1); on a
/// correlation matrix, flat is lkj(1). All other priors that fit come back as they are.
/// Throws InputError, saying what fits, if the prior does not fit the support: horseshoe is for real parameters and a
/// whole class alone (`b`, `b_sigma`, ...), and the bounds of uniform must be within the support. Also throws if the
/// number of arguments or one of their values is not what the kind takes.
JENSEN_API Prior on_support(const Prior& prior, Support support, double location_of_zero = 0);

}  // namespace jensen
