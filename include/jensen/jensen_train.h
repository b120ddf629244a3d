#ifndef JENSEN_JENSEN_TRAIN_H
#define JENSEN_JENSEN_TRAIN_H
/** \file A model by formula on the caller's columns, and its training. jensen.h has the rules. */
/* NOLINTBEGIN(modernize-deprecated-headers, modernize-use-using): this is C, too. */
#include <stddef.h>
#include <stdint.h>

#include "jensen/jensen_base.h"
#include "jensen/jensen_execution.h"

#ifdef __cplusplus
extern "C" {
#endif

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
 * A model at training: `formula` ("y ~ 1 + x + (1 | g)") on the table. `options` may be NULL: all defaults; and
 * `execution` as well: nothing of the caller's. Table, columns, options and execution are not needed after the call.
 * JENSEN_ERROR_INPUT: formula, columns, values, options; JENSEN_ERROR_DEVICE; JENSEN_ERROR_MEMORY.
 */
JENSEN_API int jensen_trainer_create(const char* formula, const jensen_table* table, const jensen_options* options,
                                     const jensen_execution* execution, jensen_trainer** trainer);
JENSEN_API void jensen_trainer_free(jensen_trainer* trainer);

/** "cpu, 2 threads" or the GPU's name; the trainer's own, valid until it is freed. NULL: trainer is NULL. */
JENSEN_API const char* jensen_trainer_device(const jensen_trainer* trainer);
/** Rows of data that are used, and that were left out for missing values; either may be NULL. */
JENSEN_API int jensen_trainer_rows(const jensen_trainer* trainer, int64_t* used, int64_t* dropped);
/**
 * What the user should know before the first step: why no GPU is used, rows that were left out, a gradient that is not
 * that of its log density. The notes of its fits are the same.
 */
JENSEN_API int jensen_trainer_note_count(const jensen_trainer* trainer, size_t* count);
/** Note `index`, one sentence; the trainer's own, valid until it is freed. NULL: trainer or index is wrong. */
JENSEN_API const char* jensen_trainer_note(const jensen_trainer* trainer, size_t index);

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
 * jensen_trainer_restore; *size in bytes, see "Buffers" in jensen.h. The size stays the same only until the next step.
 */
JENSEN_API int jensen_trainer_state(jensen_trainer* trainer, void* buffer, size_t* size);
/**
 * Goes on where the state was taken, with the bits of a run that was never interrupted: in the same trainer or in
 * another, of this process or a later one, made from the same model, data and options by the same build.
 * JENSEN_ERROR_INPUT: the bytes are damaged or of something else; the trainer is then as it was.
 */
JENSEN_API int jensen_trainer_restore(jensen_trainer* trainer, const void* state, size_t size);

/** The posterior as it stands, which the caller frees; training may go on afterwards. */
JENSEN_API int jensen_trainer_fit(jensen_trainer* trainer, jensen_fit** fit);
/** Steps until done, or until the observer stops it, then the posterior. `observer` may be NULL, and `user` as well. */
JENSEN_API int jensen_trainer_run(jensen_trainer* trainer, jensen_observer observer, void* user, jensen_fit** fit);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-deprecated-headers, modernize-use-using) */

#endif
