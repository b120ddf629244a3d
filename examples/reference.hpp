#pragma once
// What the examples on published posteriors share: numbers of a data file, and the comparison with the reference draws.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

/// The numbers of the list `name` in a JSON file; empty if there is no such file or list.
inline std::vector<float> numbers(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> values;
  std::size_t at = text.find("\"" + name + "\"");
  if (at == std::string::npos) return values;
  at = text.find('[', at);
  while (at != std::string::npos && text[at] != ']') {
    values.push_back(std::strtof(text.c_str() + at + 1, nullptr));
    at = text.find_first_of(",]", at + 1);
  }
  return values;
}

/// By long MCMC runs.
struct Reference {
  const char* name;
  double mean, sd;
};

/// Prints a line; true if the mean is within 0.3 reference sds and the sd within 15%.
inline bool agrees(const Reference& reference, double mean, double sd) {
  const double off = std::abs(mean - reference.mean) / reference.sd;
  std::printf("%-9s mean %9.5f sd %8.5f   reference %9.5f %8.5f   off by %.3f sd, sd ratio %.3f\n", reference.name,
              mean, sd, reference.mean, reference.sd, off, sd / reference.sd);
  return off < 0.3 && std::abs(sd / reference.sd - 1) < 0.15;
}
