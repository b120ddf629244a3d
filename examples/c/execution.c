/* The library's large arrays in memory of the program's: a pool of a fixed size, which is empty again at the end.
 *
 * A program on a GPU does the same with device memory, and gives its stream and the number of its GPU:
 * jensen_execution_set_stream, jensen_execution_set_device. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jensen/jensen.h>

enum { rows = 300 };

static void check(int status) {
  if (status == JENSEN_OK) return;
  fprintf(stderr, "execution: %s\n", jensen_last_error());
  exit(1);
}

/* Gives memory from one end to the other, and starts anew when everything is back. */
typedef struct pool {
  unsigned char* memory; /* aligned to 64 bytes */
  size_t size, used, most, out;
} pool;

static void* take(size_t bytes, void* stream, void* user) {
  pool* p = user;
  const size_t padded = (bytes + 63) / 64 * 64;
  (void)stream; /* NULL: the memory is the host's */
  if (padded > p->size - p->used) {
    jensen_set_last_error("the pool is full");
    return NULL;
  }
  void* memory = p->memory + p->used;
  p->used += padded;
  if (p->used > p->most) p->most = p->used;
  ++p->out;
  return memory;
}

static void give_back(void* memory, size_t bytes, void* stream, void* user) {
  pool* p = user;
  (void)memory;
  (void)bytes;
  (void)stream;
  if (--p->out == 0) p->used = 0;
}

int main(void) {
  static double x[rows], y[rows];
  for (int i = 0; i < rows; ++i) {
    x[i] = sin(0.1 * i);
    y[i] = 1 + 2 * x[i] + 0.5 * sin(12.9898 * i * i);
  }
  pool memory = {NULL, 1 << 20, 0, 0, 0};
  unsigned char* block = malloc(memory.size + 63);
  if (block == NULL) return 1;
  memory.memory = block + (64 - (uintptr_t)block % 64) % 64;

  jensen_table* table = NULL;
  jensen_options* options = NULL;
  jensen_execution* execution = NULL;
  jensen_trainer *trainer = NULL, *other = NULL;
  jensen_fit* fit = NULL;
  check(jensen_table_create("rows", &table));
  check(jensen_table_add_double(table, "x", x, rows));
  check(jensen_table_add_double(table, "y", y, rows));
  check(jensen_options_create(&options));
  check(jensen_options_set(options, "device", "cpu")); /* where the pool is */

  check(jensen_execution_create(&execution));
  check(jensen_execution_set_memory(execution, take, give_back, &memory));
  check(jensen_trainer_create("y ~ 1 + x", table, options, execution, &trainer));
  check(jensen_trainer_run(trainer, NULL, NULL, &fit));
  printf("%zu of %zu bytes of the pool\n%s\n", memory.most, memory.size, jensen_fit_message(fit));

  /* What is too much is refused, and given back. */
  const size_t used = memory.used;
  memory.size = used + 1024;
  const int status = jensen_trainer_create("y ~ 1 + x", table, options, execution, &other);
  printf("%s\n", jensen_last_error());

  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
  jensen_execution_free(execution);
  jensen_options_free(options);
  jensen_table_free(table);
  free(block);
  return status == JENSEN_ERROR_MEMORY && other == NULL && memory.out == 0 ? 0 : 1;
}
