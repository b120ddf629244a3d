#ifndef JENSEN_JENSEN_EXECUTION_H
#define JENSEN_JENSEN_EXECUTION_H
/** \file What a trainer uses of its caller's: a GPU, a stream, a source of memory. jensen.h has the rules. */
/* NOLINTBEGIN(modernize-deprecated-headers, modernize-use-using): this is C, too. */
#include <stddef.h>

#include "jensen/jensen_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Given to the functions that make a trainer, any number of them, and not needed afterwards. */
typedef struct jensen_execution jensen_execution;

/** Nothing of the caller's: the current GPU, a stream of the trainer's own, the library's memory. */
JENSEN_API int jensen_execution_create(jensen_execution** execution);
JENSEN_API void jensen_execution_free(jensen_execution* execution);

/** Number of the GPU; -1: the calling thread's current one. The CPU does not read it. JENSEN_ERROR_INPUT: below -1. */
JENSEN_API int jensen_execution_set_device(jensen_execution* execution, int number);
/**
 * A cudaStream_t, on which all work of the trainer is enqueued in the order of its calls. NULL: one of its own, non-
 * blocking. Not one of CUDA's default streams, since the steps are captured as a graph; no other thread may use it
 * during a call, and it must last as long as the trainer. The CPU does not read it.
 */
JENSEN_API int jensen_execution_set_stream(jensen_execution* execution, void* stream);

/**
 * `bytes` (above 0) of the device's memory, for work on `stream`; on the CPU `stream` is NULL, and the memory is
 * aligned to 64 bytes, else JENSEN_ERROR_INPUT. NULL: there is none; the call that needed it then returns
 * JENSEN_ERROR_MEMORY, with the message that jensen_set_last_error was given meanwhile.
 */
typedef void* (*jensen_allocate)(size_t bytes, void* stream, void* user);
/** Takes back what jensen_allocate gave, with the same `bytes` and `stream`. It cannot fail: an exception that leaves
 * it is lost. */
typedef void (*jensen_release)(void* memory, size_t bytes, void* stream, void* user);
/**
 * Where the large arrays of a trainer come from: columns, parameters, sums; they are allocated when it is made, and all
 * released by jensen_trainer_free. (The start of a model from a formula is found in the process's own memory before.)
 * Both functions and `user` are needed until it is freed; trainers of
 * different threads may call them at the same time. Both NULL: the library's own memory; one of them NULL:
 * JENSEN_ERROR_ARGUMENT.
 */
JENSEN_API int jensen_execution_set_memory(jensen_execution* execution, jensen_allocate allocate,
                                           jensen_release release, void* user);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-deprecated-headers, modernize-use-using) */

#endif
