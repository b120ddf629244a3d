/* A sketch: every rank, one for each GPU of its node, trains the same model from its own seed; the best by ELBO is
 * kept.
 *
 *     mpiexec -n 4 ./mpi_restarts
 *
 * What it shows is how ranks and handles go together. It does not spread one training over ranks: each holds the whole
 * table and takes its own steps, so that it is not faster than one rank, but it finds the better of several optima
 * where a model has more than one, and tells by the spread of the ELBO whether it has.
 */
#include <jensen/jensen.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { rows = 1000 };

static void check(int status) {
  if (status == JENSEN_OK) return;
  fprintf(stderr, "restarts: %s\n", jensen_last_error());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

/* The rank's number among those that share its node's memory: 0, 1, .., one for each GPU if so many are started. */
static int rank_on_node(void) {
  MPI_Comm node;
  int rank = 0;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_rank(node, &rank);
  MPI_Comm_free(&node);
  return rank;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);

  /* The GPU by the rank's number on its node. A launcher may let each rank see one alone (srun --gpu-bind=single:1),
   * which is then number 0. Without GPUs ranks would share the CPUs, so each takes one thread. */
  const int gpu = rank_on_node();
  static double x[rows], y[rows];
  for (int i = 0; i < rows; ++i) {
    x[i] = sin(0.1 * i);
    y[i] = 1 + 2 * x[i] + 0.5 * sin(12.9898 * i * i);
  }
  char seed[16];
  snprintf(seed, sizeof seed, "%d", rank + 1);
  jensen_table* table = NULL;
  jensen_options* options = NULL;
  jensen_execution* execution = NULL;
  jensen_trainer* trainer = NULL;
  jensen_fit* fit = NULL;
  check(jensen_table_create("rank", &table));
  check(jensen_table_add_double(table, "x", x, rows));
  check(jensen_table_add_double(table, "y", y, rows));
  check(jensen_options_create(&options));
  check(jensen_options_set(options, "seed", seed));
  check(jensen_options_set(options, "threads", "1"));
  check(jensen_execution_create(&execution));
  check(jensen_execution_set_device(execution, gpu)); /* the CPU does not read it */
  int status = jensen_trainer_create("y ~ 1 + x", table, options, execution, &trainer);
  if (status == JENSEN_ERROR_DEVICE) { /* no GPU of that number: the one that this rank sees */
    check(jensen_execution_set_device(execution, 0));
    status = jensen_trainer_create("y ~ 1 + x", table, options, execution, &trainer);
  }
  check(status);
  check(jensen_trainer_run(trainer, NULL, NULL, &fit));

  struct {
    double elbo;
    int rank;
  } mine = {0, rank}, best;
  double least = 0, slope = 0;
  jensen_summary summaries[8];
  size_t count = 8, place = 0;
  check(jensen_fit_elbo(fit, &mine.elbo, NULL));
  MPI_Allreduce(&mine, &best, 1, MPI_DOUBLE_INT, MPI_MAXLOC, MPI_COMM_WORLD);
  MPI_Allreduce(&mine.elbo, &least, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
  check(jensen_fit_summary(fit, summaries, &count));
  check(jensen_fit_parameter_index(fit, "b_x", &place));
  slope = summaries[place].mean;
  MPI_Bcast(&slope, 1, MPI_DOUBLE, best.rank, MPI_COMM_WORLD); /* what every rank goes on with */
  const int astray = !(fabs(slope - 2) < 0.1 && best.elbo - least < 0.1);
  if (rank == best.rank) {
    printf("%s of %d ranks is %d (%d on its node), with ELBO %.3f (the worst %.3f): b_x = %.3f\n",
           astray ? "astray: best" : "best", ranks, rank, gpu, best.elbo, least, slope);
  }

  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
  jensen_execution_free(execution);
  jensen_options_free(options);
  jensen_table_free(table);
  MPI_Finalize();
  return astray;
}
