/* A Poisson regression on columns that the program owns: log(mean of calls) = 0.5 + 0.8 load, plus an effect of day. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jensen/jensen.h>

enum { rows = 400 };

static void check(int status) {
  if (status == JENSEN_OK) return;
  fprintf(stderr, "minimal: %s\n", jensen_last_error());
  exit(1);
}

int main(void) {
  static double load[rows], calls[rows];
  static int32_t day[rows];
  const char* const days[] = {"weekday", "weekend"};
  for (int i = 0; i < rows; ++i) {
    load[i] = sin(0.1 * i);
    day[i] = i % 7 >= 5;
    calls[i] = floor(exp(0.5 + 0.8 * load[i] - 0.6 * day[i]) + 0.5 + 0.5 * sin(12.9898 * i));
  }

  jensen_table* table = NULL;
  check(jensen_table_create("calls", &table));
  check(jensen_table_add_double(table, "load", load, rows)); /* a view: load stays the program's */
  check(jensen_table_add_double(table, "calls", calls, rows));
  check(jensen_table_add_text(table, "day", day, rows, days, 2));

  jensen_options* options = NULL;
  check(jensen_options_create(&options));
  check(jensen_options_set(options, "family", "poisson"));
  check(jensen_options_set(options, "prior", "b ~ normal(0, 1)"));

  jensen_trainer* trainer = NULL;
  jensen_fit* fit = NULL;
  check(jensen_trainer_create("calls ~ 1 + load + day", table, options, NULL, &trainer));
  check(jensen_trainer_run(trainer, NULL, NULL, &fit));

  jensen_summary summaries[8];
  size_t count = 8; /* room on entry, parameters on return */
  check(jensen_fit_summary(fit, summaries, &count));
  for (size_t i = 0; i < count; ++i) {
    printf("%-12s mean %7.3f  sd %6.3f  90%% [%7.3f, %7.3f]\n", jensen_fit_parameter_name(fit, i), summaries[i].mean,
           summaries[i].sd, summaries[i].q05, summaries[i].q95);
  }
  printf("%s\n", jensen_fit_message(fit));

  size_t load_place = 0;
  check(jensen_fit_parameter_index(fit, "b_load", &load_place));
  const double load_mean = summaries[load_place].mean;
  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
  jensen_options_free(options);
  jensen_table_free(table);
  return fabs(load_mean - 0.8) < 0.2 ? 0 : 1;
}
