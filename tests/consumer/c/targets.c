/* Targets of C: with and without a gradient, in minibatches, and every way in which they fail. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "expect.h"

enum { rows = 200 };

/* a ~ Normal(3, 2), b ~ Exponential(4), independent. */
static int two_parameters(const double* theta, size_t samples, size_t parameters, const jensen_batch* batch,
                          double* log_density, double* gradient, void* user) {
  int* calls = user;
  ++*calls;
  if (parameters != 2 || batch->count != 0 || batch->scale != 1) return 9;
  for (size_t s = 0; s < samples; ++s) {
    const double a = (theta[2 * s] - 3) / 2, b = theta[2 * s + 1];
    log_density[s] = -a * a / 2 - log(2 * sqrt(2 * acos(-1.0))) + log(4.0) - 4 * b;
    if (gradient != NULL) {
      gradient[2 * s] = -a / 2;
      gradient[2 * s + 1] = -4;
    }
  }
  return 0;
}

/* y_i ~ Normal(mean, 1) of rows that the caller owns, by the rows of the batch. */
static int mean_of_rows(const double* theta, size_t samples, size_t parameters, const jensen_batch* batch,
                        double* log_density, double* gradient, void* user) {
  const double* y = user;
  for (size_t s = 0; s < samples; ++s) {
    double sum = 0, slope = 0;
    for (int64_t i = 0; i < batch->count; ++i) {
      const double r = y[batch->rows != NULL ? (int64_t)batch->rows[i] : batch->first + i] - theta[s * parameters];
      sum -= r * r / 2;
      slope += r;
    }
    log_density[s] = batch->scale * sum;
    gradient[s] = batch->scale * slope;
  }
  return 0;
}

typedef struct trap {
  int calls, at, silent;
} trap;

static int failing(const double* theta, size_t samples, size_t parameters, const jensen_batch* batch,
                   double* log_density, double* gradient, void* user) {
  trap* t = user;
  int ignored = 0;
  if (++t->calls >= t->at) {
    if (!t->silent) jensen_set_last_error("the solver gave up");
    return 5;
  }
  return two_parameters(theta, samples, parameters, batch, log_density, gradient, &ignored);
}

static jensen_target* made(jensen_density density, int gradient, void* user, double start, double scale) {
  jensen_target* target = NULL;
  EXPECT(jensen_target_create(density, gradient, user, &target) == JENSEN_OK);
  EXPECT(jensen_target_add(target, "a", JENSEN_REAL, start, scale) == JENSEN_OK);
  EXPECT(jensen_target_add(target, "b", JENSEN_POSITIVE, isnan(start) ? start : 0.5, scale) == JENSEN_OK);
  return target;
}

static void recovers(int gradient, double tolerance) {
  int calls = 0;
  double elbo = 0;
  jensen_trainer* trainer = NULL;
  jensen_fit* fit = NULL;
  jensen_summary found[2];
  size_t size = 2;
  jensen_target* target = made(two_parameters, gradient, &calls, gradient ? NAN : 2.0, gradient ? NAN : 1.5);
  EXPECT(jensen_trainer_create_target(target, NULL, NULL, &trainer) == JENSEN_OK);
  jensen_target_free(target); /* not needed any more */
  EXPECT(jensen_trainer_run(trainer, NULL, NULL, &fit) == JENSEN_OK);
  EXPECT(jensen_fit_summary(fit, found, &size) == JENSEN_OK && size == 2);
  EXPECT(strcmp(jensen_fit_parameter_name(fit, 1), "b") == 0 && calls > 100);
  EXPECT(fabs(found[0].mean - 3) < tolerance * 2 && fabs(found[0].sd - 2) < tolerance * 2);
  EXPECT(fabs(found[1].mean - 0.25) < 0.15 * 0.25);
  /* The density is normalised: the ELBO is below 0 by the divergence of a lognormal from an exponential, at best 0.04.
   */
  EXPECT(jensen_fit_elbo(fit, &elbo, NULL) == JENSEN_OK && elbo < 0.01 && elbo > -0.2);
  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
}

static void minibatches(void) {
  double y[rows], sum = 0;
  jensen_trainer* trainer = NULL;
  jensen_target* target = NULL;
  jensen_options* options = NULL;
  jensen_fit* fit = NULL;
  jensen_summary found;
  size_t size = 1;
  for (int i = 0; i < rows; ++i) sum += y[i] = 4 + sin(12.9898 * i * i);
  EXPECT(jensen_target_create(mean_of_rows, 1, y, &target) == JENSEN_OK);
  EXPECT(jensen_target_add(target, "mean", JENSEN_REAL, NAN, NAN) == JENSEN_OK);
  EXPECT(jensen_target_set_rows(target, rows) == JENSEN_OK);
  EXPECT(jensen_options_create(&options) == JENSEN_OK && jensen_options_set(options, "batch", "40") == JENSEN_OK);
  EXPECT(jensen_trainer_create_target(target, options, NULL, &trainer) == JENSEN_OK);
  EXPECT(jensen_trainer_run(trainer, NULL, NULL, &fit) == JENSEN_OK);
  EXPECT(jensen_fit_summary(fit, &found, &size) == JENSEN_OK);
  EXPECT(fabs(found.mean - sum / rows) < 0.3 * found.sd && fabs(found.sd * sqrt(rows) - 1) < 0.1);
  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
  jensen_options_free(options);
  jensen_target_free(target);
}

static void failures_of_callbacks(void) {
  trap at_once = {0, 1, 0}, silent = {0, 1, 1}, later = {0, 1000000, 0};
  jensen_trainer* trainer = NULL;
  int64_t steps = 0;
  jensen_target* target = made(failing, 1, &at_once, 2.0, NAN);
  EXPECT(refused(jensen_trainer_create_target(target, NULL, NULL, &trainer), JENSEN_ERROR_CALLBACK,
                 "5: the solver gave up"));
  EXPECT(trainer == NULL);
  jensen_target_free(target);
  target = made(failing, 1, &silent, 2.0, NAN);
  EXPECT(refused(jensen_trainer_create_target(target, NULL, NULL, &trainer), JENSEN_ERROR_CALLBACK, "did not say why"));
  jensen_target_free(target);
  target = made(failing, 1, &later, 2.0, NAN);
  EXPECT(jensen_trainer_create_target(target, NULL, NULL, &trainer) == JENSEN_OK);
  EXPECT(jensen_trainer_step(trainer, 10) == JENSEN_OK);
  later.at = later.calls + 3;
  EXPECT(refused(jensen_trainer_step(trainer, 10), JENSEN_ERROR_CALLBACK, "the solver gave up"));
  EXPECT(jensen_trainer_steps(trainer, &steps) == JENSEN_OK && steps >= 10 && steps < 20);
  jensen_trainer_free(trainer);
  jensen_target_free(target);
}

static void refusals(void) {
  int calls = 0;
  jensen_trainer* trainer = NULL;
  jensen_options* options = NULL;
  jensen_target* target = NULL;
  EXPECT(refused(jensen_target_create(NULL, 1, NULL, &target), JENSEN_ERROR_ARGUMENT, "density is NULL"));
  EXPECT(refused(jensen_target_create(two_parameters, 1, NULL, NULL), JENSEN_ERROR_ARGUMENT, "target is NULL"));
  EXPECT(jensen_target_create(two_parameters, 1, &calls, &target) == JENSEN_OK);
  EXPECT(jensen_trainer_create_target(target, NULL, NULL, &trainer) == JENSEN_ERROR_INPUT); /* no parameters */
  EXPECT(refused(jensen_target_add(NULL, "a", JENSEN_REAL, 0, 1), JENSEN_ERROR_ARGUMENT, "target is NULL"));
  EXPECT(refused(jensen_target_add(target, NULL, JENSEN_REAL, 0, 1), JENSEN_ERROR_ARGUMENT, "name is NULL"));
  EXPECT(refused(jensen_target_add(target, "a", 4, 0, 1), JENSEN_ERROR_INPUT, "support 4"));
  EXPECT(refused(jensen_target_set_rows(NULL, 1), JENSEN_ERROR_ARGUMENT, "target is NULL"));
  EXPECT(refused(jensen_target_set_device(target, NULL), JENSEN_ERROR_ARGUMENT, "device is NULL"));
  EXPECT(refused(jensen_target_set_device(target, "gpu"), JENSEN_ERROR_INPUT, "cuda"));
  EXPECT(refused(jensen_target_set_device(target, "auto"), JENSEN_ERROR_INPUT, "auto"));
  EXPECT(jensen_target_set_device(target, "cpu") == JENSEN_OK);
  EXPECT(jensen_target_add(target, "a", JENSEN_REAL, NAN, NAN) == JENSEN_OK);
  EXPECT(jensen_target_add(target, "b", JENSEN_POSITIVE, 0.5, NAN) == JENSEN_OK);
  EXPECT(jensen_trainer_create_target(target, NULL, NULL, &trainer) == JENSEN_ERROR_INPUT); /* one start of two */
  jensen_target_free(target);

  target = made(two_parameters, 1, &calls, 2.0, NAN);
  EXPECT(jensen_options_create(&options) == JENSEN_OK);
  EXPECT(jensen_options_set(options, "family", "poisson") == JENSEN_OK);
  EXPECT(jensen_trainer_create_target(target, options, NULL, &trainer) == JENSEN_ERROR_INPUT);
  EXPECT(refused(jensen_trainer_create_target(NULL, NULL, NULL, &trainer), JENSEN_ERROR_ARGUMENT, "target is NULL"));
  EXPECT(refused(jensen_trainer_create_target(target, NULL, NULL, NULL), JENSEN_ERROR_ARGUMENT, "trainer is NULL"));
  EXPECT(trainer == NULL && calls == 0);
  jensen_options_free(options);
  jensen_target_free(target);
  jensen_target_free(NULL);
}

int main(void) {
  recovers(1, 0.05);
  recovers(0, 0.1);
  minibatches();
  failures_of_callbacks();
  refusals();
  printf("%d failures\n", failures);
  return failures != 0;
}
