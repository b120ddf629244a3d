#ifndef JENSEN_JENSEN_MODEL_H
#define JENSEN_JENSEN_MODEL_H
/**
 * \file A model as a sum of terms on the caller's own memory, in place of a formula. jensen.h has the rules.
 *
 *     log joint = priors + sum over terms, of sum over rows, of weight * log density(y | a_0, a_1, ..)
 *
 * Each argument a is a sum of products of rows with blocks of parameters, of single parameters, an offset and a
 * constant. It sees a parameter's coordinate: the value of a real or increasing one, the logarithm of a positive one,
 * the logit of one between 0 and 1.
 *
 * Columns are float, and what is given is where it stays: it must not move or change until the last trainer that was
 * made from the model is freed. On the CPU they are read where they lie, as is on a GPU what is there already; else
 * they are copied to it once. Blocks, terms and arguments are numbered from 0. An index that there is not gives
 * JENSEN_ERROR_ARGUMENT.
 */
/* NOLINTBEGIN(modernize-deprecated-headers, modernize-use-using): this is C, too. */
#include <stddef.h>

#include "jensen/jensen_train.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jensen_model jensen_model;

/** A model without parameters and terms yet. */
JENSEN_API int jensen_model_create(jensen_model** model);
JENSEN_API void jensen_model_free(jensen_model* model);

/**
 * Adds `size` parameters called `name` (name[1], name[2] .. of several), each of a jensen_support and with the prior
 * ("normal(0, 2.5)") on its natural scale. `prior` NULL or "": flat, or given by terms. Of JENSEN_INCREASING each
 * element but the first is above the one before, and the prior is the product of the elements', not normalised where
 * they ascend. *block is its number. JENSEN_ERROR_INPUT: a name twice, size 0, more than 8,192 parameters in all, a
 * prior that does not fit the support.
 */
JENSEN_API int jensen_model_block(jensen_model* model, const char* name, size_t size, int support, const char* prior,
                                  size_t* block);

/**
 * Adds a sum over `rows` rows of the density of a family ("poisson") with a link ("log"; NULL: the family's default).
 * `y` is the response, `trials` that of a binomial one and else NULL, `weights`
 * one a row or NULL; these are in the host's memory. `is_data` not 0: the rows are those of the data, may be
 * minibatched, and are shared by all such terms; 0: they are whole, as of a prior. *term is its number.
 *
 * Argument 0 is the linear predictor of the mean; then log sigma, log nu, log shape, .. as `jensen families` lists the
 * family's further parameters, on their links. Each must be given something by one of the four functions below.
 * Categories are numbered from 1. Those of "categorical", at most 16, have an argument each but the first; those of
 * "cumulative" one in all, and jensen_model_thresholds.
 *
 * JENSEN_ERROR_INPUT: no such family or link. What only a whole term shows is refused when a trainer is made.
 */
JENSEN_API int jensen_model_term(jensen_model* model, const char* family, const char* link, size_t rows, const float* y,
                                 const float* trials, const float* weights, int is_data, size_t* term);

/** The thresholds of a term of family "cumulative": a JENSEN_INCREASING block, of which K - 1 elements cut K
 * categories. */
JENSEN_API int jensen_model_thresholds(jensen_model* model, size_t term, size_t block);

/**
 * Adds x times a block to an argument; `x` is rows x the block's size, row by row without padding. `on_gpu` not 0: it
 * is memory of the GPU that trains, used where it is, and not looked at for NaN.
 */
JENSEN_API int jensen_model_dense(jensen_model* model, size_t term, size_t argument, size_t block, const float* x,
                                  int on_gpu);
/** Adds `scale` times element `element`, from 0, of a block to an argument. */
JENSEN_API int jensen_model_scalar(jensen_model* model, size_t term, size_t argument, size_t block, size_t element,
                                   double scale);
/** Adds a number a row to an argument, in place of one that was given before. */
JENSEN_API int jensen_model_offset(jensen_model* model, size_t term, size_t argument, const float* offset);
/** Adds a number to an argument, in place of one that was given before. */
JENSEN_API int jensen_model_constant(jensen_model* model, size_t term, size_t argument, double constant);

/**
 * The data's rows stand in random order: minibatches are then rows that follow one another, always the same, which a
 * CPU reads faster. Of rows that are sorted in any way it must not be said: steps would see one part of them at a time.
 */
JENSEN_API int jensen_model_rows_in_random_order(jensen_model* model);

/**
 * The model at training, from its mode. `options` and `execution` may be NULL; of the options those of the model
 * (family, link, formula-..., prior, storage) must not be set. Model, options and execution are not needed after the
 * call, but the columns are, see above. JENSEN_ERROR_INPUT: the first term that is wrong (messages count terms from 1),
 * or an option; JENSEN_ERROR_DEVICE; JENSEN_ERROR_MEMORY.
 */
JENSEN_API int jensen_trainer_create_model(const jensen_model* model, const jensen_options* options,
                                           const jensen_execution* execution, jensen_trainer** trainer);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-deprecated-headers, modernize-use-using) */

#endif
