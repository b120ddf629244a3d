// Stops a training run half-way, keeps its state in a file of its own, and goes on in another Trainer: equal bits.
#include <cstddef>
#include <cstdio>
#include <exception>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "jensen/jensen.hpp"

namespace {

void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.exceptions(std::ios::badbit | std::ios::failbit);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::byte> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  file.exceptions(std::ios::badbit | std::ios::failbit);
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

}  // namespace

int main() try {
  std::vector<double> x(2000);
  std::vector<double> y(x.size());
  std::mt19937 bits(7);
  std::normal_distribution<double> normal;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = normal(bits);
    y[i] = 1.0 + 2.0 * x[i] + 0.5 * normal(bits);
  }
  jensen::Table table("own memory");
  table.add("x", std::span<const double>(x));
  table.add("y", std::span<const double>(y));
  jensen::TrainOptions options;
  options.family = jensen::Family::gaussian;
  const std::string path = "checkpoint-example.state";

  {
    jensen::Trainer trainer("y ~ 1 + x", table, options);
    while (trainer.steps() < 400) trainer.step();
    write_bytes(path, trainer.state());
  }  // here the program may end

  jensen::Trainer trainer("y ~ 1 + x", table, options);
  trainer.restore(read_bytes(path));
  while (!trainer.done()) trainer.step();
  const jensen::Fit fit = trainer.fit();

  std::remove(path.c_str());
  const jensen::Fit whole = jensen::train("y ~ 1 + x", table, options);
  const bool equal = fit.mean == whole.mean && fit.factor == whole.factor && fit.elbo == whole.elbo;
  std::printf("%lld steps, in two runs and in one: %s\n", static_cast<long long>(fit.steps),
              equal ? "equal bits" : "they differ");
  return equal ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
