#ifndef JENSEN_JENSEN_BASE_H
#define JENSEN_JENSEN_BASE_H
/** \file Of the C interface: versions, errors, and what several parts of it name. jensen.h has the rules. */
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
  JENSEN_ERROR_MEMORY = 7,   /**< the system, or the caller's jensen_allocate, has no more */
  JENSEN_ERROR_INTERNAL = 8  /**< a mistake of the library's own: please report it */
};

/**
 * What was wrong at the latest call of this thread that failed, "problem (where) what to do"; "" if none has. The
 * library's own: copy it if it is to outlive the thread's next failure; do not free it.
 */
JENSEN_API const char* jensen_last_error(void);
/** Sets it, for this thread: a callback may say why it fails. NULL sets "". */
JENSEN_API void jensen_set_last_error(const char* message);

/** Where a parameter lives. */
enum jensen_support {
  JENSEN_REAL = 0,      /**< any number */
  JENSEN_POSITIVE = 1,  /**< above 0 */
  JENSEN_UNIT = 2,      /**< between 0 and 1 */
  JENSEN_INCREASING = 3 /**< above the parameter before it */
};

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-deprecated-headers, modernize-use-using) */

#endif
