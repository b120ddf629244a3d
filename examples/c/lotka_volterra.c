/* Lynxes and hares: the Lotka-Volterra equations fitted to the furs that the Hudson's Bay Company counted from 1900 to
 * 1920, by a program that brings its own solver and its own gradient.
 *
 *   du/dt = (alpha - beta v) u       u: hares, v: lynxes, in thousands of furs
 *   dv/dt = (-gamma + delta u) v
 *   log y_k(t) ~ Normal(log z_k(t), sigma_k),  z = (u, v)
 *
 * Model and data: Carpenter, "Predator-Prey Population Dynamics" (Stan case study, 2018); Howard, "Modeling Basics"
 * (2009).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jensen/jensen.h>

enum { years = 21, states = 2, rates = 4, inputs = rates + states, parameters = inputs + states };

static const double furs[years][states] = {
    {30, 4},      {47.2, 6.1},  {70.2, 9.8},  {77.4, 35.2}, {36.3, 59.4}, {20.6, 41.7}, {18.1, 19},
    {21.4, 13},   {22, 8.3},    {25.4, 9.1},  {27.1, 7.4},  {40.3, 8},    {57, 12.3},   {76.6, 19.5},
    {52.3, 45.7}, {19.5, 51.1}, {11.2, 29.7}, {7.6, 15.8},  {14.6, 9.7},  {16.2, 10.1}, {24.7, 8.6}};

/* The state and its sensitivities: z[k] and dz[k][j], the derivative by input j (alpha, beta, gamma, delta, u0, v0). */
typedef struct orbit {
  double z[states];
  double dz[states][inputs];
} orbit;

static void slope(const double* rate, const orbit* at, orbit* out) {
  const double u = at->z[0], v = at->z[1];
  const double growth = rate[0] - rate[1] * v, decay = -rate[2] + rate[3] * u;
  out->z[0] = growth * u;
  out->z[1] = decay * v;
  for (int j = 0; j < inputs; ++j) {
    out->dz[0][j] = growth * at->dz[0][j] - rate[1] * u * at->dz[1][j];
    out->dz[1][j] = rate[3] * v * at->dz[0][j] + decay * at->dz[1][j];
  }
  out->dz[0][0] += u;
  out->dz[0][1] -= u * v;
  out->dz[1][2] -= v;
  out->dz[1][3] += u * v;
}

static orbit moved(const orbit* from, const orbit* along, double h) {
  orbit out;
  for (int k = 0; k < states; ++k) {
    out.z[k] = from->z[k] + h * along->z[k];
    for (int j = 0; j < inputs; ++j) out.dz[k][j] = from->dz[k][j] + h * along->dz[k][j];
  }
  return out;
}

/* One year by the classical Runge-Kutta method of order 4; with 20 steps a year it errs by less than 1e-5. */
static void advance_year(const double* rate, orbit* at) {
  enum { steps = 20 };
  const double h = 1.0 / steps;
  for (int step = 0; step < steps; ++step) {
    orbit k1, k2, k3, k4, between;
    slope(rate, at, &k1);
    between = moved(at, &k1, h / 2);
    slope(rate, &between, &k2);
    between = moved(at, &k2, h / 2);
    slope(rate, &between, &k3);
    between = moved(at, &k3, h);
    slope(rate, &between, &k4);
    *at = moved(at, &k1, h / 6);
    *at = moved(at, &k2, h / 3);
    *at = moved(at, &k3, h / 3);
    *at = moved(at, &k4, h / 6);
  }
}

/* log Normal(x; mean, sd) without its constant; its derivative by x is added to *slope. */
static double log_normal(double x, double mean, double sd, double* slope) {
  const double standard = (x - mean) / sd;
  *slope -= standard / sd;
  return -standard * standard / 2 - log(sd);
}

/* The same of a lognormal: log x ~ Normal(mean, sd). */
static double log_lognormal(double x, double mean, double sd, double* slope) {
  double by_log = 0;
  const double value = log_normal(log(x), mean, sd, &by_log) - log(x);
  *slope += (by_log - 1) / x;
  return value;
}

/* Log joint density of one theta = (alpha, beta, gamma, delta, u0, v0, sigma_u, sigma_v) and its gradient. */
static double log_joint(const double* theta, double* gradient) {
  const double *initial = theta + rates, *sigma = theta + inputs;
  double sum = 0;
  for (int j = 0; j < parameters; ++j) gradient[j] = 0;
  for (int j = 0; j < rates; ++j) {
    sum += log_normal(theta[j], j % 2 ? 0.05 : 1.0, j % 2 ? 0.05 : 0.5, &gradient[j]);
  }
  for (int k = 0; k < states; ++k) {
    sum += log_lognormal(initial[k], log(10.0), 1, &gradient[rates + k]);
    sum += log_lognormal(sigma[k], -1, 1, &gradient[inputs + k]);
  }

  orbit at = {{initial[0], initial[1]}, {{0, 0, 0, 0, 1, 0}, {0, 0, 0, 0, 0, 1}}};
  for (int year = 0; year < years; ++year) {
    if (year > 0) advance_year(theta, &at);
    for (int k = 0; k < states; ++k) {
      const double standard = (log(furs[year][k]) - log(at.z[k])) / sigma[k];
      sum += -standard * standard / 2 - log(sigma[k] * furs[year][k]);
      gradient[inputs + k] += (standard * standard - 1) / sigma[k];
      for (int j = 0; j < inputs; ++j) gradient[j] += standard / sigma[k] / at.z[k] * at.dz[k][j];
    }
  }
  return sum;
}

/* What the library calls: all of its samples, one after the other. */
static int density(const double* theta, size_t samples, size_t count, const jensen_batch* batch, double* log_density,
                   double* gradient, void* user) {
  (void)batch; /* 21 rows are always used together */
  (void)user;
  for (size_t s = 0; s < samples; ++s) log_density[s] = log_joint(theta + s * count, gradient + s * count);
  return 0;
}

static void check(int status) {
  if (status == JENSEN_OK) return;
  fprintf(stderr, "lotka_volterra: %s\n", jensen_last_error());
  exit(1);
}

int main(void) {
  /* The last two columns are mean and sd of 10,000 draws of Stan's from the reference posterior of posteriordb,
   * hudson_lynx_hare-lotka_volterra.
   *
   * Far from the data's rhythm the density has other modes, so the start is one that has it: small cycles last
   * 2 pi / sqrt(alpha gamma), 10 years in the data, about u = gamma / delta and v = alpha / beta, means of 34 and 20.
   */
  static const struct {
    const char* name;
    double start, mean, sd;
  } all[parameters] = {{"alpha", 0.63, 0.54686, 0.06305},  {"beta", 0.03, 0.027747, 0.004155},
                       {"gamma", 0.63, 0.80010, 0.08937},  {"delta", 0.018, 0.024086, 0.003528},
                       {"hares0", 30, 34.0352, 2.9169},    {"lynxes0", 4, 5.93590, 0.53055},
                       {"sigma_u", 0.5, 0.24806, 0.04326}, {"sigma_v", 0.5, 0.25102, 0.04359}};
  jensen_target* target = NULL;
  jensen_options* options = NULL;
  jensen_trainer* trainer = NULL;
  jensen_fit* fit = NULL;
  check(jensen_target_create(density, 1, NULL, &target));
  for (int j = 0; j < parameters; ++j) {
    check(jensen_target_add(target, all[j].name, JENSEN_POSITIVE, all[j].start, NAN));
  }
  check(jensen_options_create(&options));
  check(jensen_options_set(options, "guide", "fullrank"));
  check(jensen_trainer_create_target(target, options, NULL, &trainer));
  check(jensen_trainer_run(trainer, NULL, NULL, &fit));

  jensen_summary found[parameters];
  size_t count = parameters;
  check(jensen_fit_summary(fit, found, &count));
  double worst = 0;
  for (int j = 0; j < parameters; ++j) {
    const double distance = fabs(found[j].mean - all[j].mean) / all[j].sd;
    printf("%-8s mean %9.5f  sd %8.5f   reference %9.5f  %8.5f\n", all[j].name, found[j].mean, found[j].sd, all[j].mean,
           all[j].sd);
    if (!(distance <= worst)) worst = distance;
  }
  printf("%s\nmeans within %.2f sd of the reference\n", jensen_fit_message(fit), worst);

  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
  jensen_options_free(options);
  jensen_target_free(target);
  return worst < 0.3 ? 0 : 1;
}
