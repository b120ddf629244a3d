/* Models of terms and executions of C: every way in which they refuse, and that what they refuse changes nothing. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

enum { rows = 120, columns = 2 };

/* Memory aligned to 64 bytes, which C99 has not: where the block begins stands before it. */
typedef struct counter {
  size_t held, calls;
} counter;

static void* counted(size_t bytes, void* stream, void* user) {
  counter* c = user;
  if (stream != NULL) return NULL;
  void* block = malloc(bytes + 64 + sizeof block);
  if (block == NULL) return NULL;
  uintptr_t place = ((uintptr_t)block + sizeof block + 63) / 64 * 64;
  memcpy((void*)(place - sizeof block), &block, sizeof block);
  c->held += bytes;
  ++c->calls;
  return (void*)place;
}

static void uncounted(void* memory, size_t bytes, void* stream, void* user) {
  void* block = NULL;
  (void)stream;
  memcpy(&block, (char*)memory - sizeof block, sizeof block);
  free(block);
  ((counter*)user)->held -= bytes;
}

/* y ~ Normal(x . beta, sigma), without its last part. */
static jensen_model* begun(const float* x, const float* y, size_t* sigma, size_t* term) {
  jensen_model* model = NULL;
  size_t beta = 9;
  EXPECT(jensen_model_create(&model) == JENSEN_OK);
  EXPECT(jensen_model_block(model, "beta", columns, JENSEN_REAL, "normal(0, 3)", &beta) == JENSEN_OK && beta == 0);
  EXPECT(jensen_model_block(model, "sigma", 1, JENSEN_POSITIVE, NULL, sigma) == JENSEN_OK && *sigma == 1);
  EXPECT(jensen_model_term(model, "gaussian", NULL, rows, y, NULL, NULL, 1, term) == JENSEN_OK && *term == 0);
  EXPECT(jensen_model_dense(model, *term, 0, beta, x, 0) == JENSEN_OK);
  return model;
}

static void blocks_and_terms(const float* x, const float* y) {
  jensen_model* model = NULL;
  size_t sigma = 9, term = 9, number = 9;
  EXPECT(refused(jensen_model_create(NULL), JENSEN_ERROR_ARGUMENT, "model is NULL"));
  model = begun(x, y, &sigma, &term);
  EXPECT(refused(jensen_model_block(NULL, "a", 1, JENSEN_REAL, NULL, &number), JENSEN_ERROR_ARGUMENT, "model"));
  EXPECT(refused(jensen_model_block(model, NULL, 1, JENSEN_REAL, NULL, &number), JENSEN_ERROR_ARGUMENT, "name"));
  EXPECT(refused(jensen_model_block(model, "a", 1, JENSEN_REAL, NULL, NULL), JENSEN_ERROR_ARGUMENT, "block"));
  EXPECT(refused(jensen_model_block(model, "beta", 1, JENSEN_REAL, NULL, &number), JENSEN_ERROR_INPUT, "beta"));
  EXPECT(refused(jensen_model_block(model, "a", 0, JENSEN_REAL, NULL, &number), JENSEN_ERROR_INPUT, "at least 1"));
  EXPECT(refused(jensen_model_block(model, "a", SIZE_MAX, JENSEN_REAL, NULL, &number), JENSEN_ERROR_INPUT, "8192"));
  EXPECT(refused(jensen_model_block(model, "a", 8190, JENSEN_REAL, NULL, &number), JENSEN_ERROR_INPUT, "8193"));
  EXPECT(refused(jensen_model_block(model, "a", 1, 4, NULL, &number), JENSEN_ERROR_INPUT, "no support 4"));
  EXPECT(refused(jensen_model_block(model, "a", 1, JENSEN_UNIT, "lkj(1)", &number), JENSEN_ERROR_INPUT, "lkj"));

  EXPECT(refused(jensen_model_rows_in_random_order(NULL), JENSEN_ERROR_ARGUMENT, "model is NULL"));
  EXPECT(refused(jensen_model_term(NULL, "gaussian", NULL, rows, y, NULL, NULL, 1, &number), JENSEN_ERROR_ARGUMENT,
                 "model is NULL"));
  EXPECT(refused(jensen_model_term(model, NULL, NULL, rows, y, NULL, NULL, 1, &number), JENSEN_ERROR_ARGUMENT,
                 "family is NULL"));
  EXPECT(refused(jensen_model_term(model, "gaussian", NULL, rows, NULL, NULL, NULL, 1, &number), JENSEN_ERROR_ARGUMENT,
                 "y is NULL"));
  EXPECT(refused(jensen_model_term(model, "gaussian", NULL, rows, y, NULL, NULL, 1, NULL), JENSEN_ERROR_ARGUMENT,
                 "term is NULL"));
  EXPECT(refused(jensen_model_term(model, "normal", NULL, rows, y, NULL, NULL, 1, &number), JENSEN_ERROR_INPUT,
                 "gaussian"));
  EXPECT(refused(jensen_model_term(model, "gaussian", "log2", rows, y, NULL, NULL, 1, &number), JENSEN_ERROR_INPUT,
                 "log"));
  EXPECT(refused(jensen_model_term(model, "poisson", "probit", rows, y, NULL, NULL, 1, &number), JENSEN_ERROR_INPUT,
                 "poisson"));
  EXPECT(number == 9);

  EXPECT(refused(jensen_model_dense(model, 1, 0, 0, x, 0), JENSEN_ERROR_ARGUMENT, "no term 1"));
  EXPECT(refused(jensen_model_dense(model, term, 2, 0, x, 0), JENSEN_ERROR_ARGUMENT, "no argument 2"));
  EXPECT(refused(jensen_model_dense(model, term, 0, 2, x, 0), JENSEN_ERROR_ARGUMENT, "no block 2"));
  EXPECT(refused(jensen_model_dense(model, term, 0, 0, NULL, 0), JENSEN_ERROR_ARGUMENT, "x is NULL"));
  EXPECT(refused(jensen_model_scalar(model, term, 0, 7, 0, 1), JENSEN_ERROR_ARGUMENT, "no block 7"));
  EXPECT(refused(jensen_model_scalar(model, term, 0, 0, 2, 1), JENSEN_ERROR_ARGUMENT, "no element 2"));
  EXPECT(refused(jensen_model_scalar(NULL, term, 0, 0, 0, 1), JENSEN_ERROR_ARGUMENT, "model is NULL"));
  EXPECT(refused(jensen_model_offset(model, term, 0, NULL), JENSEN_ERROR_ARGUMENT, "offset is NULL"));
  EXPECT(refused(jensen_model_constant(model, term, 9, 1), JENSEN_ERROR_ARGUMENT, "no argument 9"));
  EXPECT(refused(jensen_model_thresholds(NULL, term, 0), JENSEN_ERROR_ARGUMENT, "model is NULL"));
  EXPECT(refused(jensen_model_thresholds(model, 5, 0), JENSEN_ERROR_ARGUMENT, "no term 5"));
  EXPECT(refused(jensen_model_thresholds(model, term, 7), JENSEN_ERROR_ARGUMENT, "no block 7"));
  EXPECT(jensen_model_term(model, "gaussian", NULL, SIZE_MAX, y, NULL, NULL, 1, &number) == JENSEN_OK && number == 1);
  EXPECT(refused(jensen_model_dense(model, 1, 0, 0, x, 0), JENSEN_ERROR_ARGUMENT, "than memory"));
  jensen_model_free(model);
  jensen_model_free(NULL);
}

/* What only a whole model shows. */
static void whole_models(const float* x, float* y) {
  jensen_trainer* trainer = NULL;
  jensen_options* options = NULL;
  jensen_model* model = NULL;
  size_t sigma = 9, term = 9, other = 9;
  EXPECT(jensen_options_create(&options) == JENSEN_OK && jensen_options_set(options, "device", "cpu") == JENSEN_OK);
  EXPECT(jensen_model_create(&model) == JENSEN_OK);
  EXPECT(refused(jensen_trainer_create_model(model, options, NULL, &trainer), JENSEN_ERROR_INPUT, "without terms"));
  jensen_model_free(model);

  model = begun(x, y, &sigma, &term);
  EXPECT(refused(jensen_trainer_create_model(NULL, options, NULL, &trainer), JENSEN_ERROR_ARGUMENT, "model is NULL"));
  EXPECT(refused(jensen_trainer_create_model(model, options, NULL, NULL), JENSEN_ERROR_ARGUMENT, "trainer is NULL"));
  EXPECT(refused(jensen_trainer_create_model(model, options, NULL, &trainer), JENSEN_ERROR_INPUT,
                 "nothing is given for argument 1, sigma (term 1)"));
  EXPECT(jensen_model_scalar(model, term, 1, sigma, 0, 1) == JENSEN_OK);
  y[7] = NAN;
  EXPECT(refused(jensen_trainer_create_model(model, options, NULL, &trainer), JENSEN_ERROR_INPUT, "nan in row 8 of y"));
  y[7] = 1;
  EXPECT(jensen_model_term(model, "exponential", NULL, rows - 1, y, NULL, NULL, 1, &other) == JENSEN_OK);
  EXPECT(jensen_model_constant(model, other, 0, 0) == JENSEN_OK);
  EXPECT(refused(jensen_trainer_create_model(model, options, NULL, &trainer), JENSEN_ERROR_INPUT, "(term 2)"));
  jensen_model_free(model);

  model = begun(x, y, &sigma, &term);
  EXPECT(jensen_model_scalar(model, term, 1, sigma, 0, NAN) == JENSEN_OK);
  EXPECT(refused(jensen_trainer_create_model(model, options, NULL, &trainer), JENSEN_ERROR_INPUT, "finite"));
  jensen_model_free(model);

  model = begun(x, y, &sigma, &term);
  EXPECT(jensen_model_scalar(model, term, 1, sigma, 0, 1) == JENSEN_OK);
  EXPECT(jensen_model_dense(model, term, 0, 0, x, 1) == JENSEN_OK);
  EXPECT(refused(jensen_trainer_create_model(model, options, NULL, &trainer), JENSEN_ERROR_INPUT, "on a GPU"));
  jensen_model_free(model);

  model = begun(x, y, &sigma, &term);
  EXPECT(jensen_model_scalar(model, term, 1, sigma, 0, 1) == JENSEN_OK);
  EXPECT(jensen_options_set(options, "family", "poisson") == JENSEN_OK);
  EXPECT(jensen_trainer_create_model(model, options, NULL, &trainer) == JENSEN_ERROR_INPUT);
  EXPECT(trainer == NULL);
  jensen_model_free(model);
  jensen_options_free(options);
}

static void executions(const float* x, const float* y) {
  counter memory = {0, 0};
  jensen_execution* execution = NULL;
  jensen_options* options = NULL;
  jensen_trainer* trainers[2] = {NULL, NULL};
  jensen_fit* fits[2] = {NULL, NULL};
  jensen_summary found[2][3];
  size_t sigma = 9, term = 9, size = 3;
  EXPECT(refused(jensen_execution_create(NULL), JENSEN_ERROR_ARGUMENT, "execution is NULL"));
  EXPECT(jensen_execution_create(&execution) == JENSEN_OK);
  EXPECT(refused(jensen_execution_set_device(NULL, 0), JENSEN_ERROR_ARGUMENT, "execution is NULL"));
  EXPECT(refused(jensen_execution_set_device(execution, -2), JENSEN_ERROR_INPUT, "no GPU -2"));
  EXPECT(refused(jensen_execution_set_stream(NULL, NULL), JENSEN_ERROR_ARGUMENT, "execution is NULL"));
  EXPECT(refused(jensen_execution_set_memory(NULL, NULL, NULL, NULL), JENSEN_ERROR_ARGUMENT, "execution is NULL"));
  EXPECT(refused(jensen_execution_set_memory(execution, counted, NULL, &memory), JENSEN_ERROR_ARGUMENT, "release"));
  EXPECT(refused(jensen_execution_set_memory(execution, NULL, uncounted, &memory), JENSEN_ERROR_ARGUMENT, "allocate"));
  EXPECT(jensen_execution_set_memory(execution, NULL, NULL, NULL) == JENSEN_OK);
  EXPECT(jensen_execution_set_device(execution, -1) == JENSEN_OK);
  EXPECT(jensen_execution_set_stream(execution, NULL) == JENSEN_OK);
  EXPECT(jensen_execution_set_memory(execution, counted, uncounted, &memory) == JENSEN_OK);

  /* With the program's memory and with the library's own: the same numbers, and all is given back. */
  jensen_model* model = begun(x, y, &sigma, &term);
  EXPECT(jensen_model_scalar(model, term, 1, sigma, 0, 1) == JENSEN_OK);
  EXPECT(jensen_options_create(&options) == JENSEN_OK && jensen_options_set(options, "device", "cpu") == JENSEN_OK);
  EXPECT(jensen_options_set(options, "steps", "300") == JENSEN_OK);
  EXPECT(jensen_trainer_create_model(model, options, execution, &trainers[0]) == JENSEN_OK);
  EXPECT(jensen_trainer_create_model(model, options, NULL, &trainers[1]) == JENSEN_OK);
  jensen_execution_free(execution); /* not needed any more */
  jensen_execution_free(NULL);
  jensen_model_free(model);
  const size_t calls = memory.calls;
  EXPECT(calls > 0 && memory.held > 0);
  for (int i = 0; i < 2; ++i) {
    EXPECT(jensen_trainer_run(trainers[i], NULL, NULL, &fits[i]) == JENSEN_OK);
    EXPECT(jensen_fit_summary(fits[i], found[i], &size) == JENSEN_OK && size == 3);
  }
  EXPECT(memory.calls == calls); /* memory is allocated when the trainer is made */
  EXPECT(memcmp(found[0], found[1], sizeof found[0]) == 0);
  EXPECT(fabs(found[0][1].mean - 2) < 0.1 && strcmp(jensen_fit_parameter_name(fits[0], 1), "beta[2]") == 0);
  for (int i = 0; i < 2; ++i) {
    jensen_trainer_free(trainers[i]);
    jensen_fit_free(fits[i]);
  }
  EXPECT(memory.held == 0);
  jensen_options_free(options);
}

int main(void) {
  float x[rows * columns], y[rows];
  for (int i = 0; i < rows; ++i) {
    x[i * columns] = 1;
    x[i * columns + 1] = (float)sin(0.7 * i);
    y[i] = (float)(1 + 2 * x[i * columns + 1] + 0.2 * sin(12.9898 * i * i));
  }
  blocks_and_terms(x, y);
  executions(x, y);
  whole_models(x, y);
  printf("%d failures\n", failures);
  return failures != 0;
}
