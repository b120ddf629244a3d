/* The loop in the program's hands: steps, the ELBO, a checkpoint in the program's own memory, and an observer. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jensen/jensen.h>

enum { rows = 300 };

static void check(int status) {
  if (status == JENSEN_OK) return;
  fprintf(stderr, "loop: %s\n", jensen_last_error());
  exit(1);
}

/* Stops the run when the time that the program can spare is over; here, after `user` reports. */
static int spare_reports(const jensen_progress* progress, void* user) {
  int* left = user;
  printf("step %lld: ELBO %.2f\n", (long long)progress->step, progress->elbo);
  return --*left <= 0;
}

int main(void) {
  static double x[rows], y[rows];
  for (int i = 0; i < rows; ++i) {
    x[i] = sin(0.1 * i);
    y[i] = 1 + 2 * x[i] + 0.5 * sin(12.9898 * i * i);
  }
  jensen_table* table = NULL;
  jensen_trainer* trainer = NULL;
  check(jensen_table_create("rows", &table));
  check(jensen_table_add_double(table, "x", x, rows));
  check(jensen_table_add_double(table, "y", y, rows));
  check(jensen_trainer_create("y ~ 1 + x", table, NULL, NULL, &trainer));

  check(jensen_trainer_step(trainer, 200));
  double elbo = 0, standard_error = 0;
  check(jensen_trainer_elbo(trainer, &elbo, &standard_error));
  printf("after 200 steps: ELBO %.2f +- %.2f\n", elbo, standard_error);

  size_t size = 0;
  check(jensen_trainer_state(trainer, NULL, &size)); /* no buffer: only the size */
  void* checkpoint = malloc(size);
  if (checkpoint == NULL) return 1;
  check(jensen_trainer_state(trainer, checkpoint, &size));

  check(jensen_trainer_step(trainer, 100));
  check(jensen_trainer_restore(trainer, checkpoint, size)); /* back at step 200 */
  int64_t steps = 0;
  check(jensen_trainer_steps(trainer, &steps));

  int reports = 2;
  jensen_fit* fit = NULL;
  check(jensen_trainer_run(trainer, spare_reports, &reports, &fit));
  printf("%s\n", jensen_fit_message(fit));

  jensen_fit_free(fit);
  free(checkpoint);
  jensen_trainer_free(trainer);
  jensen_table_free(table);
  return steps == 200 ? 0 : 1;
}
