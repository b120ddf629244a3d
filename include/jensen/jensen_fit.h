#ifndef JENSEN_JENSEN_FIT_H
#define JENSEN_JENSEN_FIT_H
/** \file Results of training. jensen.h has the rules. */
/* NOLINTBEGIN(modernize-deprecated-headers, modernize-use-using): this is C, too. */
#include <stddef.h>
#include <stdint.h>

#include "jensen/jensen_train.h"

#ifdef __cplusplus
extern "C" {
#endif

JENSEN_API void jensen_fit_free(jensen_fit* fit);

/** How many parameters the summary has: H; the effects of groups' levels are counted by jensen_fit_level_count. */
JENSEN_API int jensen_fit_parameter_count(const jensen_fit* fit, size_t* count);
/** The name of parameter `index` < H, "b_x"; the fit's own, valid until it is freed. NULL: fit or index is wrong. */
JENSEN_API const char* jensen_fit_parameter_name(const jensen_fit* fit, size_t index);
/** JENSEN_ERROR_INPUT, with the names that are near: there is none of that name. */
JENSEN_API int jensen_fit_parameter_index(const jensen_fit* fit, const char* name, size_t* index);

/** On the parameter's natural scale; q05, q50 and q95 are quantiles. */
typedef struct jensen_summary {
  double mean;
  double sd;
  double q05;
  double q50;
  double q95;
} jensen_summary;

/** Of every parameter, *size of them, see "Buffers" in jensen.h. */
JENSEN_API int jensen_fit_summary(const jensen_fit* fit, jensen_summary* summaries, size_t* size);

/** The same for the effects of groups' levels, "r_g[a,Intercept]". The first call of one of the three computes them. */
JENSEN_API int jensen_fit_level_count(jensen_fit* fit, size_t* count);
JENSEN_API const char* jensen_fit_level_name(jensen_fit* fit, size_t index);
JENSEN_API int jensen_fit_level_summary(jensen_fit* fit, jensen_summary* summaries, size_t* size);

/**
 * `count` draws of every parameter on its natural scale, count x H numbers, those of one draw together; *size in
 * numbers, see "Buffers" in jensen.h. The same for the same seed.
 */
JENSEN_API int jensen_fit_draws(const jensen_fit* fit, size_t count, uint64_t seed, double* buffer, size_t* size);

/** The evidence lower bound over all rows, and its Monte Carlo standard error (may be NULL). */
JENSEN_API int jensen_fit_elbo(const jensen_fit* fit, double* elbo, double* standard_error);

/** May the answer be believed? */
typedef struct jensen_verdict {
  int converged; /**< 1 or 0, as are the next two */
  int close;     /**< the guide is close to the posterior, as far as log_ratio_sd, khat and importance weights tell */
  int failed;    /**< too many draws were not finite: this is the last good state */
  double drift;  /**< of the averaged posterior, between its two halves, in posterior standard deviations */
  double log_ratio_sd; /**< of log p/q over draws */
  double khat;         /**< Pareto k-hat of the ratios p/q */
  double sd_ratio;     /**< by importance weights: the posterior's sd over the guide's, where that is largest; else 1 */
  int64_t nonfinite;   /**< draws that were not finite, over the whole run */
  int64_t steps;       /**< taken */
} jensen_verdict;

JENSEN_API int jensen_fit_verdict(const jensen_fit* fit, jensen_verdict* verdict);
/** Name of the parameter that sd_ratio is of, "" if that is 1; the fit's own, valid until it is freed. NULL: fit is
 * NULL. */
JENSEN_API const char* jensen_fit_narrowest(const jensen_fit* fit);
/** The verdict as one sentence; the fit's own, valid until it is freed. NULL: fit is NULL. */
JENSEN_API const char* jensen_fit_message(const jensen_fit* fit);

/** What the user should know beside the verdict: rows that were left out, a gradient that is wrong, and the like. */
JENSEN_API int jensen_fit_note_count(const jensen_fit* fit, size_t* count);
/** Note `index`, one sentence; the fit's own, valid until it is freed. NULL: fit or index is wrong. */
JENSEN_API const char* jensen_fit_note(const jensen_fit* fit, size_t index);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-deprecated-headers, modernize-use-using) */

#endif
