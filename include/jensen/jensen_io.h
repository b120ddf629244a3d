#ifndef JENSEN_JENSEN_IO_H
#define JENSEN_JENSEN_IO_H
/**
 * \file Files of fits and of states of training, for C. Library jensen_io (jensen::io in CMake); what jensen.h says of
 * handles, errors and threads holds here too.
 */
#include "jensen/jensen.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes the fit into a new directory, whole or not at all, for jensen_fit_load and for `jensen summary`, `predict` and
 * `draws`. `replace` not 0: a fit that is there is replaced. JENSEN_ERROR_FILE: the directory exists, or cannot be
 * written.
 */
JENSEN_API int jensen_fit_save(const jensen_fit* fit, const char* directory, int replace);
/** Reads what jensen_fit_save or `jensen train` wrote; the caller frees the fit. JENSEN_ERROR_FILE. */
JENSEN_API int jensen_fit_load(const char* directory, jensen_fit** fit);

/**
 * Writes what jensen_trainer_state gave, `size` bytes, to `path`, on the disk on return, and keeps the whole state that
 * was there as `path`.previous: at any instant, that of a crash included, there is a whole state under one of the two
 * names once one has been written. Makes the directories above. JENSEN_ERROR_INPUT: the bytes are no whole state;
 * JENSEN_ERROR_FILE; the states before are then still there.
 */
JENSEN_API int jensen_state_save(const void* state, size_t size, const char* path);
/**
 * The newest whole state of `path` and `path`.previous, for jensen_trainer_restore; *size in bytes, see "Buffers" in
 * jensen.h. *older (may be NULL) is 1 if it is not the newest, which is damaged: jensen_last_error() then says so; else
 * 0. JENSEN_ERROR_FILE: neither is there, or is whole.
 */
JENSEN_API int jensen_state_load(const char* path, void* buffer, size_t* size, int* older);
/** 1 if jensen_state_load would find a file, whole or not, else 0. */
JENSEN_API int jensen_state_exists(const char* path, int* exists);
/** Removes both files, and what a killed jensen_state_save has left. JENSEN_ERROR_FILE. */
JENSEN_API int jensen_state_remove(const char* path);

#ifdef __cplusplus
}
#endif

#endif
