/* A sketch: every rank, one for each GPU of its node, trains the same model from its own seed; the best by ELBO is
 * kept.
 *
 * What it shows is how ranks and handles go together. It does not spread one training over ranks: each holds the whole
 * table and takes its own steps, so that it is not faster than one rank, but it finds the better of several optima
 * where a model has more than one, and tells by the spread of the ELBO whether it has.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jensen/jensen.h>
#include <mpi.h>

enum { rows = 1000 };

static void check(int status) {
  if (status == JENSEN_OK) return;
  fprintf(stderr, "restarts: %s\n", jensen_last_error());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);

  /* The library takes the first GPU that it sees: the launcher gives each rank another one to see, for example
   *   srun --ntasks-per-node=4 --gpus-per-task=1 --gpu-bind=single:1 ./mpi_restarts
   * Here ranks would otherwise also share the CPUs, so each takes one thread. */
  static double x[rows], y[rows];
  for (int i = 0; i < rows; ++i) {
    x[i] = sin(0.1 * i);
    y[i] = 1 + 2 * x[i] + 0.5 * sin(12.9898 * i * i);
  }
  char seed[16];
  snprintf(seed, sizeof seed, "%d", rank + 1);
  jensen_table* table = NULL;
  jensen_options* options = NULL;
  jensen_trainer* trainer = NULL;
  jensen_fit* fit = NULL;
  check(jensen_table_create("rank", &table));
  check(jensen_table_add_double(table, "x", x, rows));
  check(jensen_table_add_double(table, "y", y, rows));
  check(jensen_options_create(&options));
  check(jensen_options_set(options, "seed", seed));
  check(jensen_options_set(options, "threads", "1"));
  check(jensen_trainer_create("y ~ 1 + x", table, options, NULL, &trainer));
  check(jensen_trainer_run(trainer, NULL, NULL, &fit));

  struct {
    double elbo;
    int rank;
  } mine = {0, rank}, best;
  double least = 0;
  check(jensen_fit_elbo(fit, &mine.elbo, NULL));
  MPI_Allreduce(&mine, &best, 1, MPI_DOUBLE_INT, MPI_MAXLOC, MPI_COMM_WORLD);
  MPI_Allreduce(&mine.elbo, &least, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
  if (rank == best.rank) {
    jensen_summary summaries[8];
    size_t count = 8;
    check(jensen_fit_summary(fit, summaries, &count));
    printf("rank %d has the best ELBO, %.3f (the worst %.3f): b_x = %.3f\n", rank, best.elbo, least, summaries[1].mean);
  }

  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
  jensen_options_free(options);
  jensen_table_free(table);
  MPI_Finalize();
  return 0;
}
