#ifndef JENSEN_JENSEN_IO_H
#define JENSEN_JENSEN_IO_H
/**
 * \file Files of fits, for C. Library jensen_io (jensen::io in CMake); what jensen.h says of handles, errors and
 * threads holds here too.
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

#ifdef __cplusplus
}
#endif

#endif
