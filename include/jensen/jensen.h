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
 * Callbacks are called on the thread that uses the trainer, and must not use that trainer, nor leave by longjmp. A C++
 * exception that leaves one ends in the library: the call that needed it returns JENSEN_ERROR_CALLBACK with its text,
 * and the trainer is then fit for jensen_trainer_restore and jensen_trainer_free alone.
 *
 * Within one JENSEN_ABI_VERSION, functions and options may be added; nothing that is here changes or goes.
 */
#include "jensen/jensen_base.h"
#include "jensen/jensen_execution.h"
#include "jensen/jensen_fit.h"
#include "jensen/jensen_model.h"
#include "jensen/jensen_target.h"
#include "jensen/jensen_train.h"

#endif
