/* A model of terms on the program's own arrays, without a formula and without a copy: how long tasks take,
 *
 *   seconds_i ~ Gamma(shape, shape / mean_i),   log mean_i = log size_i + x_i . beta
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jensen/jensen.h>

enum { rows = 2000, columns = 3 };

static void check(int status) {
  if (status == JENSEN_OK) return;
  fprintf(stderr, "terms: %s\n", jensen_last_error());
  exit(1);
}

/* Between 0 and 1: Knuth's linear congruential generator of 64 bits, its high ones. */
static double uniform(void) {
  static uint64_t bits = 1;
  bits = 6364136223846793005u * bits + 1442695040888963407u;
  return ((double)(bits >> 32) + 0.5) / 4294967296.0;
}

int main(void) {
  static const double truth[columns + 1] = {-0.4, 0.8, 0.3, 2.0}; /* beta, shape */
  static float x[rows * columns], seconds[rows], log_size[rows];
  for (int i = 0; i < rows; ++i) {
    double eta = log_size[i] = (float)log(1 + i % 7);
    for (int k = 0; k < columns; ++k) {
      x[i * columns + k] = k == 0 ? 1.0f : (float)(2 * uniform() - 1);
      eta += truth[k] * x[i * columns + k];
    }
    seconds[i] = (float)(-0.5 * exp(eta) * (log(uniform()) + log(uniform()))); /* shape 2: a sum of two exponentials */
  }

  jensen_model* model = NULL;
  size_t beta = 0, shape = 0, took = 0;
  check(jensen_model_create(&model));
  check(jensen_model_block(model, "beta", columns, JENSEN_REAL, "normal(0, 2.5)", &beta));
  check(jensen_model_block(model, "shape", 1, JENSEN_POSITIVE, "exponential(0.5)", &shape));
  check(jensen_model_term(model, "gamma", "log", rows, seconds, NULL, NULL, 1, &took));
  check(jensen_model_offset(model, took, 0, log_size));      /* argument 0 is log mean */
  check(jensen_model_dense(model, took, 0, beta, x, 0));     /* x is read where it lies */
  check(jensen_model_scalar(model, took, 1, shape, 0, 1.0)); /* argument 1 is log shape */

  jensen_trainer* trainer = NULL;
  jensen_fit* fit = NULL;
  check(jensen_trainer_create_model(model, NULL, NULL, &trainer));
  check(jensen_trainer_run(trainer, NULL, NULL, &fit));

  jensen_summary found[columns + 1];
  size_t count = columns + 1;
  int wrong = 0;
  check(jensen_fit_summary(fit, found, &count));
  for (size_t k = 0; k < count; ++k) {
    printf("%-8s mean %7.3f  sd %6.3f  truth %7.3f\n", jensen_fit_parameter_name(fit, k), found[k].mean, found[k].sd,
           truth[k]);
    if (!(fabs(found[k].mean - truth[k]) < 4 * found[k].sd)) wrong = 1;
  }
  printf("on %s: %s\n", jensen_trainer_device(trainer), jensen_fit_message(fit));
  size_t notes = 0;
  check(jensen_fit_note_count(fit, &notes));
  for (size_t i = 0; i < notes; ++i) printf("note: %s\n", jensen_fit_note(fit, i));

  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
  jensen_model_free(model);
  return wrong;
}
