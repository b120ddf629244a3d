#ifndef JENSEN_JENSEN_H
#define JENSEN_JENSEN_H
/**
 * \file Jensen for C, and by it for Fortran and whatever else calls C: models on the caller's memory.
 *
 * Handles (jensen_table *, ...) are made by functions ending in _create, or given by a pointer to a pointer, and belong
 * to the caller, who ends each with its _free; _free of NULL does nothing. What a function is given, it only reads, and
 * does not need after it has returned, unless its comment says otherwise. Texts are UTF-8 and end with a zero byte.
 *
 * A function that can fail returns JENSEN_OK (0) or another jensen_status; the message is then in jensen_last_error().
 * A pointer that must not be NULL and is gives JENSEN_ERROR_ARGUMENT; a pointer for a result that is not wanted may be
 * NULL where its comment says so. If a function fails, what it would have written is not changed, but for a size that
 * is too small. No C++ exception leaves a function. The library neither prints nor ends the program.
 *
 * Buffers are the caller's. Where a size is not known beforehand, `*size` is what the buffer holds on entry, and on
 * return what the result takes; with a NULL buffer only the size is written; with too small a one the size is written
 * too, and JENSEN_ERROR_BUFFER returned.
 *
 * Threads: different handles may be used by different threads at the same time; one handle by one thread at a time. A
 * jensen_fit may be read by several. The results do not depend on the number of threads.
 *
 * Within one JENSEN_ABI_VERSION, functions and options may be added; nothing that is here changes or goes.
 */
/* NOLINTBEGIN(modernize-deprecated-headers, modernize-use-using): this is C, too. */
#include <stddef.h>
#include <stdint.h>

#include "jensen/export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define JENSEN_ABI_VERSION 1

/** JENSEN_ABI_VERSION of the library that runs. Another than that of the header means that they do not fit. */
JENSEN_API int jensen_abi_version(void);
/** "0.1.0". The library's own; do not free it. */
JENSEN_API const char* jensen_version(void);

enum jensen_status {
  JENSEN_OK = 0,
  JENSEN_ERROR_ARGUMENT = 1, /**< NULL, or an index that there is not */
  JENSEN_ERROR_INPUT = 2,    /**< formula, data, option or state that cannot be taken */
  JENSEN_ERROR_FILE = 3,     /**< cannot be read, written or understood */
  JENSEN_ERROR_DEVICE = 4,   /**< missing, or failed while running */
  JENSEN_ERROR_CALLBACK = 5, /**< a callback of the caller said that it failed */
  JENSEN_ERROR_BUFFER = 6,   /**< too small; the size that is needed has been written */
  JENSEN_ERROR_MEMORY = 7,   /**< the system has no more */
  JENSEN_ERROR_INTERNAL = 8  /**< a mistake of the library's own: please report it */
};

/**
 * What was wrong at the latest call of this thread that failed, "problem (where) what to do"; "" if none has. The
 * library's own: copy it if it is to outlive the thread's next failure; do not free it.
 */
JENSEN_API const char* jensen_last_error(void);
/** Sets it, for this thread: a callback may say why it fails. NULL sets "". */
JENSEN_API void jensen_set_last_error(const char* message);

/* ---- Tables: named columns of equal length that are views of the caller's memory -------------------------------- */

typedef struct jensen_table jensen_table;

/** An empty table; `source` names it in messages, NULL: "table". */
JENSEN_API int jensen_table_create(const char* source, jensen_table** table);
JENSEN_API void jensen_table_free(jensen_table* table);
/**
 * Adds a column of `rows` numbers, NaN is missing. The numbers are not copied: they must stay where they are until the
 * last call that is given the table has returned. JENSEN_ERROR_INPUT: the name is taken, or the length differs from
 * that of the columns before.
 */
JENSEN_API int jensen_table_add_double(jensen_table* table, const char* name, const double* values, size_t rows);
JENSEN_API int jensen_table_add_float(jensen_table* table, const char* name, const float* values, size_t rows);
/**
 * Adds a column of text: row i is levels[codes[i]], a negative code is missing. The codes are not copied, as above; the
 * `level_count` levels are.
 */
JENSEN_API int jensen_table_add_text(jensen_table* table, const char* name, const int32_t* codes, size_t rows,
                                     const char* const* levels, size_t level_count);

/* ---- Options: by name and text, those of `jensen train` without the dashes -------------------------------------- */

typedef struct jensen_options jensen_options;

/** Every option at its default. */
JENSEN_API int jensen_options_create(jensen_options** options);
JENSEN_API void jensen_options_free(jensen_options* options);
/**
 * Sets one: "family" to "poisson", "prior" to "b ~ normal(0, 2.5)" (each call adds one), "formula-sigma" to "1 + x",
 * "steps" to "2000", and so on; `jensen train --help` describes them all. JENSEN_ERROR_INPUT, with the names that are
 * near or the values that there are: no such option, or no such value; the options are then as they were.
 */
JENSEN_API int jensen_options_set(jensen_options* options, const char* name, const char* value);

/* ---- Training ---------------------------------------------------------------------------------------------------- */

typedef struct jensen_trainer jensen_trainer;
typedef struct jensen_fit jensen_fit;

typedef struct jensen_progress {
  int64_t step;
  int64_t steps; /**< at which the run will end or decide whether to go on */
  double elbo;   /**< mean of the latest estimates */
  double elbo_se;
  double rows_per_second;
  double seconds_left; /**< until `steps` */
} jensen_progress;

/**
 * Is told how training goes, a few times a second at most, on the thread that trains. `progress` is valid during the
 * call; `user` is what was given with the callback. Return 0 to go on, anything else to stop: the fit so far is then
 * the result, which is no error.
 */
typedef int (*jensen_observer)(const jensen_progress* progress, void* user);

/**
 * A model at training: `formula` ("y ~ 1 + x + (1 | g)") on the table. `options` may be NULL: all defaults. The table,
 * its columns and the options are not needed after the call. JENSEN_ERROR_INPUT: formula, columns, values, options;
 * JENSEN_ERROR_DEVICE.
 */
JENSEN_API int jensen_trainer_create(const char* formula, const jensen_table* table, const jensen_options* options,
                                     jensen_trainer** trainer);
JENSEN_API void jensen_trainer_free(jensen_trainer* trainer);

/**
 * Takes `count` steps, whether or not training is done; fewer if one fails, after which the trainer is fit for
 * jensen_trainer_restore and jensen_trainer_free alone.
 */
JENSEN_API int jensen_trainer_step(jensen_trainer* trainer, int64_t count);
/** Steps taken. */
JENSEN_API int jensen_trainer_steps(const jensen_trainer* trainer, int64_t* steps);
/** 1 if the stop rule has ended training, else 0. A rule of one's own is to take no more steps. */
JENSEN_API int jensen_trainer_done(const jensen_trainer* trainer, int* done);
/** Mean of the latest steps' estimates of the ELBO, and its standard error (may be NULL); NaN before the first step. */
JENSEN_API int jensen_trainer_elbo(jensen_trainer* trainer, double* elbo, double* standard_error);

/**
 * Everything that the run from here on depends on, besides what the trainer was made from, as bytes for
 * jensen_trainer_restore; *size in bytes, see "Buffers" above. The size stays the same only until the next step.
 */
JENSEN_API int jensen_trainer_state(jensen_trainer* trainer, void* buffer, size_t* size);
/**
 * Goes on where the state was taken, with the bits of a run that was never interrupted: in the same trainer or in
 * another, of this process or a later one, made from the same formula, data and options by the same build.
 * JENSEN_ERROR_INPUT: the bytes are damaged or of something else; the trainer is then as it was.
 */
JENSEN_API int jensen_trainer_restore(jensen_trainer* trainer, const void* state, size_t size);

/** The posterior as it stands, which the caller frees; training may go on afterwards. */
JENSEN_API int jensen_trainer_fit(jensen_trainer* trainer, jensen_fit** fit);
/** Steps until done, or until the observer stops it, then the posterior. `observer` may be NULL, and `user` as well. */
JENSEN_API int jensen_trainer_run(jensen_trainer* trainer, jensen_observer observer, void* user, jensen_fit** fit);

/* ---- Targets: a log density of the caller's own, in place of a formula ------------------------------------------- */

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
 * error. All pointers are valid during the call. Called on the thread that uses the trainer, never by two at once for
 * one trainer. Returns 0, or anything else to say that it failed: the call that needed it then returns
 * JENSEN_ERROR_CALLBACK, with the message that jensen_set_last_error was given meanwhile. Must not call functions on
 * the trainer that calls it, nor leave by longjmp or a C++ exception.
 */
typedef int (*jensen_density)(const double* theta, size_t samples, size_t parameters, const jensen_batch* batch,
                              double* log_density, double* gradient, void* user);

/** Where a parameter lives. */
enum jensen_support {
  JENSEN_REAL = 0,      /**< any number */
  JENSEN_POSITIVE = 1,  /**< above 0 */
  JENSEN_UNIT = 2,      /**< between 0 and 1 */
  JENSEN_INCREASING = 3 /**< above the parameter before it */
};

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
 * The target at training. `options` may be NULL; those of the model (family, link, formula-..., prior, storage) must
 * not be set. Target and options are not needed after the call, but density and user are, as long as the trainer is
 * used. JENSEN_ERROR_INPUT, JENSEN_ERROR_DEVICE, JENSEN_ERROR_CALLBACK (the density is called to find the start).
 */
JENSEN_API int jensen_trainer_create_target(const jensen_target* target, const jensen_options* options,
                                            jensen_trainer** trainer);

/* ---- Fits -------------------------------------------------------------------------------------------------------- */

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

/** Of every parameter, *size of them, see "Buffers" above. */
JENSEN_API int jensen_fit_summary(const jensen_fit* fit, jensen_summary* summaries, size_t* size);

/** The same for the effects of groups' levels, "r_g[a,Intercept]". The first call of one of the three computes them. */
JENSEN_API int jensen_fit_level_count(jensen_fit* fit, size_t* count);
JENSEN_API const char* jensen_fit_level_name(jensen_fit* fit, size_t index);
JENSEN_API int jensen_fit_level_summary(jensen_fit* fit, jensen_summary* summaries, size_t* size);

/**
 * `count` draws of every parameter on its natural scale, count x H numbers, those of one draw together; *size in
 * numbers, see "Buffers" above. The same for the same seed.
 */
JENSEN_API int jensen_fit_draws(const jensen_fit* fit, size_t count, uint64_t seed, double* buffer, size_t* size);

/** The evidence lower bound over all rows, and its Monte Carlo standard error (may be NULL). */
JENSEN_API int jensen_fit_elbo(const jensen_fit* fit, double* elbo, double* standard_error);

/** May the answer be believed? */
typedef struct jensen_verdict {
  int converged;       /**< 1 or 0, as are the next two */
  int close;           /**< the guide is close to the posterior, as far as log_ratio_sd and khat tell */
  int failed;          /**< too many draws were not finite: this is the last good state */
  double drift;        /**< of the averaged posterior, between its two halves, in posterior standard deviations */
  double log_ratio_sd; /**< of log p/q over draws */
  double khat;         /**< Pareto k-hat of the ratios p/q */
  int64_t nonfinite;   /**< draws that were not finite, over the whole run */
  int64_t steps;       /**< taken */
} jensen_verdict;

JENSEN_API int jensen_fit_verdict(const jensen_fit* fit, jensen_verdict* verdict);
/** The verdict as one sentence; the fit's own, valid until it is freed. NULL: fit is NULL. */
JENSEN_API const char* jensen_fit_message(const jensen_fit* fit);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-deprecated-headers, modernize-use-using) */

#endif
