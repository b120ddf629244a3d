#pragma once
/// \file The command line of a benchmark: flags that take a positive number each, and --json FILE.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace jensen::bench_report {

struct NumberFlag {
  std::string name;  ///< with its dashes
  int* value;        ///< is left as it is where the flag is not given
  int most = std::numeric_limits<int>::max();
};

/// Ends the program (2), with a sentence on stderr, if a flag is unknown or cannot have its value.
inline void read_flags(const char* program, int argc, char** argv, const std::vector<NumberFlag>& flags,
                       std::string& json) {
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const std::string text = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--json" && !text.empty()) {
      json = text;
      continue;
    }
    const auto flag = std::ranges::find(flags, name, &NumberFlag::name);
    try {
      std::size_t used = 0;
      const int number = std::stoi(text, &used);
      if (flag == flags.end() || used != text.size() || number < 1 || number > flag->most) {
        throw std::invalid_argument(text);
      }
      *flag->value = number;
    } catch (const std::logic_error&) {  // stoi's too
      std::string known;
      for (const NumberFlag& f : flags) {
        known += f.name + (f.most < std::numeric_limits<int>::max() ? fmt::format(" (to {}), ", f.most) : ", ");
      }
      fmt::print(stderr, "{}: cannot use '{} {}'; give {}each with a positive number, or --json with a file\n", program,
                 name, text, known);
      std::exit(2);
    }
  }
}

}  // namespace jensen::bench_report
