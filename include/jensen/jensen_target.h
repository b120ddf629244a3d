#ifndef JENSEN_JENSEN_TARGET_H
#define JENSEN_JENSEN_TARGET_H
/** \file A log density of the caller's own, in place of a formula. jensen.h has the rules. */
/* NOLINTBEGIN(modernize-deprecated-headers, modernize-use-using): this is C, too. */
#include <stddef.h>
#include <stdint.h>

#include "jensen/jensen_train.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Rows of the data that one evaluation is over, where a target has rows (jensen_target_set_rows); else `count` is 0.
 */
typedef struct jensen_batch {
  const uint32_t* rows; /**< `count` row numbers, from 0, in the device's memory; NULL: first, first + 1, ... */
  int64_t first;
  int64_t count;
  double scale; /**< what the rows' log likelihood is to be multiplied by: rows in all / count; 1 without rows */
  void* stream; /**< on a GPU the cudaStream_t to enqueue on, NULL on the CPU: the work is done on return */
} jensen_batch;

/**
 * For each of `samples` parameter vectors theta (samples x parameters, one vector after the other, on their natural
 * scales) writes log_density[s] = log prior + batch->scale * log likelihood of the batch's rows, as a density of theta
 * itself (the library adds the Jacobians of its transforms), and to gradient (samples x parameters) its derivatives by
 * theta; gradient is NULL if the target was made without. What is not finite is left out and counted, which is no
 * error. All pointers are valid during the call. Returns 0, or anything else to say that it failed: the call that
 * needed it then returns JENSEN_ERROR_CALLBACK, with the message that jensen_set_last_error was given meanwhile.
 */
typedef int (*jensen_density)(const double* theta, size_t samples, size_t parameters, const jensen_batch* batch,
                              double* log_density, double* gradient, void* user);

typedef struct jensen_target jensen_target;

/**
 * A target without parameters yet. `has_gradient` 0: the density writes no gradient, and training takes far more
 * evaluations. `user` is given to the density and stays the caller's.
 */
JENSEN_API int jensen_target_create(jensen_density density, int has_gradient, void* user, jensen_target** target);
JENSEN_API void jensen_target_free(jensen_target* target);
/**
 * Adds a parameter, the next of theta. `start`: where to begin, on its natural scale; NAN for all parameters: it is
 * searched for. `scale`: a plausible change on its unconstrained scale (value, log, logit, log of the increment); NAN:
 * 1. JENSEN_ERROR_INPUT: no such support; what only the whole model shows, jensen_trainer_create_target refuses.
 */
JENSEN_API int jensen_target_add(jensen_target* target, const char* name, int support, double start, double scale);
/** Rows of data, for minibatches; 0, as it is at first, for none. */
JENSEN_API int jensen_target_set_rows(jensen_target* target, int64_t rows);
/** "cpu", as it is at first, or "cuda": theta, log_density and gradient are then in the GPU's memory. */
JENSEN_API int jensen_target_set_device(jensen_target* target, const char* device);

/**
 * The target at training. `options` and `execution` may be NULL; of the options those of the model (family, link,
 * formula-..., prior, storage) must not be set. Target, options and execution are not needed after the call, but
 * density and user are, as long as the trainer is used. A gradient that is not that of the log density is a note
 * (jensen_trainer_note). JENSEN_ERROR_INPUT, JENSEN_ERROR_DEVICE, JENSEN_ERROR_MEMORY, JENSEN_ERROR_CALLBACK (the
 * density is called to find the start).
 */
JENSEN_API int jensen_trainer_create_target(const jensen_target* target, const jensen_options* options,
                                            const jensen_execution* execution, jensen_trainer** trainer);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-deprecated-headers, modernize-use-using) */

#endif
