// Predators and prey: the log joint of a differential equation's parameters, with gradients from its sensitivities.
//
// Hares and lynxes in the Hudson Bay, in thousands of pelts a year from 1900 to 1920 (Hewitt 1921, by way of Howard
// 2009 and Carpenter's Stan case study; in posteriordb hudson_lynx_hare). The model is that of the case study:
//
//     du/dt = (alpha - beta v) u,   dv/dt = (-gamma + delta u) v,   pelts ~ lognormal(log(u or v), sigma)
//
// Prints the posterior beside that of a long MCMC run, and fails where they differ.

#include <array>
#include <cmath>
#include <cstdio>
#include <jensen/jensen.hpp>
#include <numbers>

namespace {

constexpr int years = 21;
constexpr double pelts[years][2] = {{30, 4},     {47.2, 6.1},  {70.2, 9.8},  {77.4, 35.2}, {36.3, 59.4}, {20.6, 41.7},
                                    {18.1, 19},  {21.4, 13},   {22, 8.3},    {25.4, 9.1},  {27.1, 7.4},  {40.3, 8},
                                    {57, 12.3},  {76.6, 19.5}, {52.3, 45.7}, {19.5, 51.1}, {11.2, 29.7}, {7.6, 15.8},
                                    {14.6, 9.7}, {16.2, 10.1}, {24.7, 8.6}};

// alpha, beta, gamma, delta, u(0), v(0); then sigma of each species.
constexpr std::size_t rates = 6, parameters = 8;

// u, v and their derivatives by the six parameters that the solution depends on.
using State = std::array<double, 2 + 2 * rates>;

State slope(const State& y, const double* theta) {
  const double u = y[0], v = y[1];
  const double alpha = theta[0], beta = theta[1], gamma = theta[2], delta = theta[3];
  State out{};
  out[0] = (alpha - beta * v) * u;
  out[1] = (-gamma + delta * u) * v;
  const double explicitly[2][rates] = {{u, -u * v, 0, 0, 0, 0}, {0, 0, -v, u * v, 0, 0}};
  for (std::size_t p = 0; p < rates; ++p) {
    const double du = y[2 + p], dv = y[2 + rates + p];
    out[2 + p] = (alpha - beta * v) * du - beta * u * dv + explicitly[0][p];
    out[2 + rates + p] = delta * v * du + (-gamma + delta * u) * dv + explicitly[1][p];
  }
  return out;
}

// The classical Runge-Kutta method of fourth order, forty steps a year: accurate to six digits here.
void one_year(State& y, const double* theta) {
  constexpr int steps = 40;
  constexpr double h = 1.0 / steps;
  const auto plus = [](const State& a, double factor, const State& b) {
    State out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] + factor * b[i];
    return out;
  };
  for (int i = 0; i < steps; ++i) {
    const State k1 = slope(y, theta);
    const State k2 = slope(plus(y, h / 2, k1), theta);
    const State k3 = slope(plus(y, h / 2, k2), theta);
    const State k4 = slope(plus(y, h, k3), theta);
    for (std::size_t j = 0; j < y.size(); ++j) y[j] += h / 6 * (k1[j] + 2 * k2[j] + 2 * k3[j] + k4[j]);
  }
}

struct HareAndLynx : jensen::Target {
  void evaluate(const double* theta, std::size_t samples, std::size_t dimension, const jensen::Batch&,
                double* log_density, double* gradient) override {
    for (std::size_t s = 0; s < samples; ++s) {
      log_density[s] = log_joint(theta + s * dimension, gradient + s * dimension);
    }
  }

  static double log_joint(const double* theta, double* g) {
    constexpr double log_root = -0.9189385332046727;  // log(1 / sqrt(2 pi))
    double value = 0;
    for (std::size_t p = 0; p < parameters; ++p) g[p] = 0;
    // log theta[p] ~ normal(location, scale), with the prior's or the pelts' 1/x
    const auto lognormal = [&](double x, double location, double scale, double& by_location) {
      const double z = (std::log(x) - location) / scale;
      by_location = z / scale;
      return log_root - std::log(scale) - std::log(x) - 0.5 * z * z;
    };
    const double location[4] = {1, 0.05, 1, 0.05}, scale[4] = {0.5, 0.05, 0.5, 0.05};
    for (std::size_t p = 0; p < 4; ++p) {
      const double z = (theta[p] - location[p]) / scale[p];
      value += log_root - std::log(scale[p]) - 0.5 * z * z;
      g[p] -= z / scale[p];
    }
    for (std::size_t p = 4; p < parameters; ++p) {
      double by_location = 0;
      value += lognormal(theta[p], p < rates ? std::log(10.0) : -1, 1, by_location);
      g[p] -= (1 + by_location) / theta[p];
    }

    State y{theta[4], theta[5]};
    y[2 + 4] = y[2 + rates + 5] = 1;
    for (int year = 0; year < years; ++year) {
      if (year > 0) one_year(y, theta);
      for (std::size_t k = 0; k < 2; ++k) {
        double by_location = 0;
        const double sigma = theta[rates + k];
        value += lognormal(pelts[year][k], std::log(y[k]), sigma, by_location);
        for (std::size_t p = 0; p < rates; ++p) g[p] += by_location * y[2 + k * rates + p] / y[k];
        g[rates + k] += by_location * by_location * sigma - 1 / sigma;
      }
    }
    return value;
  }
};

}  // namespace

int main() {
  HareAndLynx target;
  jensen::TargetModel model;
  for (const char* name :
       {"alpha", "beta", "gamma", "delta", "hares_1900", "lynxes_1900", "sigma_hares", "sigma_lynxes"}) {
    model.parameters.push_back({name, jensen::Transform::exponential});
  }
  model.start = {1, 0.05, 1, 0.05, 30, 4, 1, 1};
  const jensen::Fit fit = jensen::train(target, model);

  constexpr double reference[parameters][2] = {
      {0.5468645, 0.06305479}, {0.02774729, 0.004154718}, {0.8000954, 0.08937018}, {0.02408592, 0.00352809},
      {34.03522, 2.916899},    {5.935897, 0.530552},      {0.2480569, 0.04326268}, {0.2510169, 0.04359034}};
  bool good = true;
  std::printf("%-13s %10s %10s %22s\n", "", "mean", "sd", "mean and sd by MCMC");
  const auto summary = fit.summarize();
  for (std::size_t p = 0; p < parameters; ++p) {
    const auto& [mean, sd] = reference[p];
    std::printf("%-13s %10.5f %10.5f %11.5f %10.5f\n", summary[p].name.c_str(), summary[p].mean, summary[p].sd, mean,
                sd);
    good = good && std::abs(summary[p].mean - mean) < 0.3 * sd && std::abs(summary[p].sd / sd - 1) < 0.15;
  }
  std::printf("ELBO %.3f +- %.3f; %s\n", fit.elbo, fit.elbo_se, fit.verdict.message.c_str());
  return good ? 0 : 1;
}
