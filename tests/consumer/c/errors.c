/* Every way in which the C interface refuses, and that what it refuses changes nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

enum { rows = 60 };

static int stop_at_once(const jensen_progress* progress, void* user) {
  *(int64_t*)user = progress->step;
  return 1;
}

static void tables(const double* x) {
  jensen_table* table = NULL;
  const float few[2] = {1, 2};
  const int32_t codes[rows] = {0};
  const char* const levels[] = {"a", NULL};
  EXPECT(refused(jensen_table_create("t", NULL), JENSEN_ERROR_ARGUMENT, "table is NULL"));
  EXPECT(jensen_table_create(NULL, &table) == JENSEN_OK);
  EXPECT(refused(jensen_table_add_double(NULL, "x", x, rows), JENSEN_ERROR_ARGUMENT, "table is NULL"));
  EXPECT(refused(jensen_table_add_double(table, NULL, x, rows), JENSEN_ERROR_ARGUMENT, "name is NULL"));
  EXPECT(refused(jensen_table_add_double(table, "x", NULL, rows), JENSEN_ERROR_ARGUMENT, "values is NULL"));
  EXPECT(refused(jensen_table_add_double(table, "", x, rows), JENSEN_ERROR_INPUT, "name"));
  EXPECT(jensen_table_add_double(table, "x", x, rows) == JENSEN_OK);
  EXPECT(refused(jensen_table_add_double(table, "x", x, rows), JENSEN_ERROR_INPUT, "x"));
  EXPECT(refused(jensen_table_add_float(table, "f", few, 2), JENSEN_ERROR_INPUT, "f"));
  EXPECT(refused(jensen_table_add_text(table, "g", NULL, rows, levels, 1), JENSEN_ERROR_ARGUMENT, "codes is NULL"));
  EXPECT(refused(jensen_table_add_text(table, "g", codes, rows, NULL, 1), JENSEN_ERROR_ARGUMENT, "levels is NULL"));
  EXPECT(refused(jensen_table_add_text(table, "g", codes, rows, levels, 2), JENSEN_ERROR_ARGUMENT, "level is NULL"));
  EXPECT(jensen_table_add_text(table, "g", codes, rows, levels, 1) == JENSEN_OK);
  jensen_table_free(table);
  jensen_table_free(NULL);
}

static void options(void) {
  jensen_options* options = NULL;
  EXPECT(refused(jensen_options_create(NULL), JENSEN_ERROR_ARGUMENT, "options is NULL"));
  EXPECT(jensen_options_create(&options) == JENSEN_OK);
  EXPECT(refused(jensen_options_set(NULL, "family", "poisson"), JENSEN_ERROR_ARGUMENT, "options is NULL"));
  EXPECT(refused(jensen_options_set(options, NULL, "poisson"), JENSEN_ERROR_ARGUMENT, "name is NULL"));
  EXPECT(refused(jensen_options_set(options, "family", NULL), JENSEN_ERROR_ARGUMENT, "value is NULL"));
  EXPECT(refused(jensen_options_set(options, "familly", "poisson"), JENSEN_ERROR_INPUT, "'family'"));
  EXPECT(refused(jensen_options_set(options, "family", "poison"), JENSEN_ERROR_INPUT, "poisson"));
  EXPECT(refused(jensen_options_set(options, "samples", "0"), JENSEN_ERROR_INPUT, "1024"));
  EXPECT(refused(jensen_options_set(options, "samples", "12x"), JENSEN_ERROR_INPUT, "12x"));
  EXPECT(refused(jensen_options_set(options, "lr", "-1"), JENSEN_ERROR_INPUT, "above 0"));
  EXPECT(refused(jensen_options_set(options, "prior", "b ~ normal(0"), JENSEN_ERROR_INPUT, "prior"));
  EXPECT(refused(jensen_options_set(options, "na", "keep"), JENSEN_ERROR_INPUT, "drop"));
  EXPECT(refused(jensen_options_set(options, "optimizer", "sgd"), JENSEN_ERROR_INPUT, "adam"));
  EXPECT(refused(jensen_options_set(options, "formula-sgima", "1 + x"), JENSEN_ERROR_INPUT, "'formula-sigma'"));
  EXPECT(jensen_options_set(options, "formula-sigma", "1 + x") == JENSEN_OK);
  EXPECT(jensen_options_set(options, "seed", "18446744073709551615") == JENSEN_OK);
  jensen_options_free(options);
  jensen_options_free(NULL);
}

static void training(const jensen_table* table) {
  jensen_options* options = NULL;
  jensen_trainer *trainer = NULL, *other = NULL;
  jensen_fit* fit = NULL;
  double elbo = 7, error = 7;
  int64_t steps = -1, seen = -1;
  int done = -1;
  size_t size = 0;

  EXPECT(jensen_options_create(&options) == JENSEN_OK);
  EXPECT(jensen_options_set(options, "threads", "1") == JENSEN_OK);
  EXPECT(
      refused(jensen_trainer_create(NULL, table, options, NULL, &trainer), JENSEN_ERROR_ARGUMENT, "formula is NULL"));
  EXPECT(
      refused(jensen_trainer_create("y ~ x", NULL, options, NULL, &trainer), JENSEN_ERROR_ARGUMENT, "table is NULL"));
  EXPECT(refused(jensen_trainer_create("y ~ x", table, options, NULL, NULL), JENSEN_ERROR_ARGUMENT, "trainer is NULL"));
  EXPECT(refused(jensen_trainer_create("y ~ (x", table, options, NULL, &trainer), JENSEN_ERROR_INPUT, "formula"));
  EXPECT(refused(jensen_trainer_create("y ~ z", table, options, NULL, &trainer), JENSEN_ERROR_INPUT, "z"));
  EXPECT(trainer == NULL);
  EXPECT(jensen_trainer_create("y ~ x", table, options, NULL, &trainer) == JENSEN_OK);
  EXPECT(jensen_trainer_create("y ~ 1", table, NULL, NULL, &other) == JENSEN_OK);

  EXPECT(refused(jensen_trainer_step(NULL, 1), JENSEN_ERROR_ARGUMENT, "trainer is NULL"));
  EXPECT(refused(jensen_trainer_step(trainer, -1), JENSEN_ERROR_ARGUMENT, "count"));
  EXPECT(jensen_trainer_elbo(trainer, &elbo, &error) == JENSEN_OK && isnan(elbo) && isnan(error));
  EXPECT(jensen_trainer_device(trainer) != NULL && strlen(jensen_trainer_device(trainer)) > 3);
  EXPECT(jensen_trainer_device(NULL) == NULL && strstr(jensen_last_error(), "trainer is NULL") != NULL);
  EXPECT(jensen_trainer_rows(trainer, &steps, &seen) == JENSEN_OK && steps == rows && seen == 0);
  EXPECT(jensen_trainer_rows(trainer, NULL, NULL) == JENSEN_OK);
  EXPECT(refused(jensen_trainer_rows(NULL, &steps, NULL), JENSEN_ERROR_ARGUMENT, "trainer is NULL"));
  EXPECT(jensen_trainer_note_count(trainer, &size) == JENSEN_OK && jensen_trainer_note(trainer, size) == NULL);
  EXPECT(refused(jensen_trainer_note_count(trainer, NULL), JENSEN_ERROR_ARGUMENT, "count is NULL"));
  EXPECT(refused(jensen_trainer_note_count(NULL, &size), JENSEN_ERROR_ARGUMENT, "trainer is NULL"));
  EXPECT(jensen_trainer_note(NULL, 0) == NULL && strstr(jensen_last_error(), "trainer is NULL") != NULL);
  seen = -1;
  EXPECT(jensen_trainer_step(trainer, 60) == JENSEN_OK);
  EXPECT(jensen_trainer_steps(trainer, &steps) == JENSEN_OK && steps == 60);
  EXPECT(jensen_trainer_done(trainer, &done) == JENSEN_OK && done == 0);
  EXPECT(jensen_trainer_elbo(trainer, &elbo, NULL) == JENSEN_OK && isfinite(elbo));
  EXPECT(refused(jensen_trainer_steps(trainer, NULL), JENSEN_ERROR_ARGUMENT, "steps is NULL"));
  EXPECT(refused(jensen_trainer_steps(NULL, &steps), JENSEN_ERROR_ARGUMENT, "trainer is NULL"));
  EXPECT(refused(jensen_trainer_done(trainer, NULL), JENSEN_ERROR_ARGUMENT, "done is NULL"));
  EXPECT(refused(jensen_trainer_elbo(trainer, NULL, NULL), JENSEN_ERROR_ARGUMENT, "elbo is NULL"));

  /* The state: size, too small a buffer, and back. */
  EXPECT(refused(jensen_trainer_state(trainer, NULL, NULL), JENSEN_ERROR_ARGUMENT, "size is NULL"));
  EXPECT(jensen_trainer_state(trainer, NULL, &size) == JENSEN_OK && size > 0);
  unsigned char* state = malloc(size);
  size_t room = size - 1;
  state[0] = 99;
  EXPECT(refused(jensen_trainer_state(trainer, state, &room), JENSEN_ERROR_BUFFER, "needed"));
  EXPECT(room == size && state[0] == 99);
  EXPECT(jensen_trainer_state(trainer, state, &room) == JENSEN_OK && room == size);
  EXPECT(jensen_trainer_step(trainer, 40) == JENSEN_OK);
  EXPECT(refused(jensen_trainer_restore(trainer, NULL, size), JENSEN_ERROR_ARGUMENT, "state is NULL"));
  EXPECT(jensen_trainer_restore(trainer, state, size - 1) == JENSEN_ERROR_INPUT);
  EXPECT(jensen_trainer_restore(other, state, size) == JENSEN_ERROR_INPUT);
  state[size / 2] ^= 1;
  EXPECT(jensen_trainer_restore(trainer, state, size) == JENSEN_ERROR_INPUT);
  EXPECT(jensen_trainer_steps(trainer, &steps) == JENSEN_OK && steps == 100);
  state[size / 2] ^= 1;
  EXPECT(jensen_trainer_restore(trainer, state, size) == JENSEN_OK);
  EXPECT(jensen_trainer_steps(trainer, &steps) == JENSEN_OK && steps == 60);
  free(state);

  EXPECT(refused(jensen_trainer_run(trainer, stop_at_once, &seen, NULL), JENSEN_ERROR_ARGUMENT, "fit is NULL"));
  EXPECT(seen == -1);
  EXPECT(jensen_trainer_run(trainer, stop_at_once, &seen, &fit) == JENSEN_OK);
  EXPECT(jensen_trainer_steps(trainer, &steps) == JENSEN_OK && steps == seen && steps < 200);
  jensen_fit_free(fit);
  EXPECT(refused(jensen_trainer_fit(NULL, &fit), JENSEN_ERROR_ARGUMENT, "trainer is NULL"));
  jensen_trainer_free(trainer);
  jensen_trainer_free(other);
  jensen_trainer_free(NULL);
  jensen_options_free(options);
}

static void fits(const jensen_table* table) {
  jensen_trainer* trainer = NULL;
  jensen_fit* fit = NULL;
  jensen_summary summaries[8];
  jensen_verdict verdict;
  double draws[30], again[30], elbo = 0;
  size_t count = 0, size = 0, place = 0;

  EXPECT(jensen_trainer_create("y ~ x + (1 | g)", table, NULL, NULL, &trainer) == JENSEN_OK);
  EXPECT(jensen_trainer_run(trainer, NULL, NULL, &fit) == JENSEN_OK);
  EXPECT(jensen_fit_parameter_count(fit, &count) == JENSEN_OK && count == 4);
  EXPECT(refused(jensen_fit_parameter_count(NULL, &count), JENSEN_ERROR_ARGUMENT, "fit is NULL"));
  EXPECT(strcmp(jensen_fit_parameter_name(fit, 1), "b_x") == 0);
  EXPECT(jensen_fit_parameter_name(fit, 4) == NULL && strstr(jensen_last_error(), "no name 4") != NULL);
  EXPECT(jensen_fit_parameter_name(NULL, 0) == NULL && strstr(jensen_last_error(), "fit is NULL") != NULL);
  EXPECT(refused(jensen_fit_parameter_index(fit, "b_y", &place), JENSEN_ERROR_INPUT, "'b_x'"));
  EXPECT(jensen_fit_parameter_index(fit, "sigma", &place) == JENSEN_OK && place == 3);

  size = 3;
  EXPECT(refused(jensen_fit_summary(fit, summaries, &size), JENSEN_ERROR_BUFFER, "needed"));
  EXPECT(size == 4);
  EXPECT(jensen_fit_summary(fit, NULL, &size) == JENSEN_OK && size == 4);
  EXPECT(refused(jensen_fit_summary(fit, summaries, NULL), JENSEN_ERROR_ARGUMENT, "size is NULL"));
  EXPECT(jensen_fit_summary(fit, summaries, &size) == JENSEN_OK && fabs(summaries[1].mean - 2) < 0.2);

  EXPECT(jensen_fit_level_count(fit, &count) == JENSEN_OK && count == 2);
  EXPECT(strcmp(jensen_fit_level_name(fit, 0), "r_g[a,Intercept]") == 0);
  EXPECT(jensen_fit_level_name(fit, 2) == NULL && jensen_fit_level_name(NULL, 0) == NULL);
  size = 8;
  EXPECT(jensen_fit_level_summary(fit, summaries, &size) == JENSEN_OK && size == 2 && summaries[0].sd > 0);

  size = 30;
  EXPECT(refused(jensen_fit_draws(fit, 10, 1, draws, &size), JENSEN_ERROR_BUFFER, "needed"));
  EXPECT(size == 40);
  EXPECT(refused(jensen_fit_draws(fit, SIZE_MAX, 1, draws, &size), JENSEN_ERROR_ARGUMENT, "draws"));
  size = 30;
  EXPECT(jensen_fit_draws(fit, 7, 1, draws, &size) == JENSEN_OK && size == 28);
  size = 30;
  EXPECT(jensen_fit_draws(fit, 7, 1, again, &size) == JENSEN_OK && memcmp(draws, again, 28 * sizeof(double)) == 0);

  EXPECT(jensen_fit_elbo(fit, &elbo, NULL) == JENSEN_OK && isfinite(elbo));
  EXPECT(refused(jensen_fit_elbo(fit, NULL, NULL), JENSEN_ERROR_ARGUMENT, "elbo is NULL"));
  EXPECT(jensen_fit_verdict(fit, &verdict) == JENSEN_OK && !verdict.failed && verdict.steps >= 1000);
  EXPECT(refused(jensen_fit_verdict(fit, NULL), JENSEN_ERROR_ARGUMENT, "verdict is NULL"));
  EXPECT(verdict.sd_ratio >= 1 && jensen_fit_narrowest(NULL) == NULL);
  EXPECT((strlen(jensen_fit_narrowest(fit)) > 0) == (verdict.sd_ratio > 1));
  EXPECT(strlen(jensen_fit_message(fit)) > 10 && jensen_fit_message(NULL) == NULL);
  EXPECT(jensen_fit_note_count(fit, &count) == JENSEN_OK && jensen_fit_note(fit, count) == NULL);
  EXPECT(strstr(jensen_last_error(), "there is no note") != NULL && jensen_fit_note(NULL, 0) == NULL);
  EXPECT(refused(jensen_fit_note_count(fit, NULL), JENSEN_ERROR_ARGUMENT, "count is NULL"));
  jensen_fit_free(fit);
  jensen_fit_free(NULL);
  jensen_trainer_free(trainer);
}

int main(void) {
  double x[rows], y[rows];
  int32_t codes[rows];
  const char* const levels[] = {"a", "b"};
  for (int i = 0; i < rows; ++i) {
    x[i] = sin(0.7 * i);
    codes[i] = i % 2;
    y[i] = 1 + 2 * x[i] + 0.3 * codes[i] + 0.2 * sin(12.9898 * i * i);
  }
  EXPECT(jensen_abi_version() == JENSEN_ABI_VERSION);
  EXPECT(strlen(jensen_version()) >= 5);
  EXPECT(strcmp(jensen_last_error(), "") == 0);
  tables(x);
  options();
  jensen_table* table = NULL;
  EXPECT(jensen_table_create("memory", &table) == JENSEN_OK);
  EXPECT(jensen_table_add_double(table, "x", x, rows) == JENSEN_OK);
  EXPECT(jensen_table_add_double(table, "y", y, rows) == JENSEN_OK);
  EXPECT(jensen_table_add_text(table, "g", codes, rows, levels, 2) == JENSEN_OK);
  training(table);
  fits(table);
  jensen_table_free(table);
  jensen_set_last_error(NULL);
  EXPECT(strcmp(jensen_last_error(), "") == 0);
  printf("%d failures\n", failures);
  return failures != 0;
}
