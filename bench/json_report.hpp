#pragma once
/// \file What every benchmark writes: its cases, with date, device, compiler and commit.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "jensen/info.hpp"

namespace jensen::bench_report {

class JsonReport {
 public:
  JsonReport(const std::string& benchmark, const std::string& device) {
    char date[32];
    const std::time_t now = std::time(nullptr);
    std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
    const char* commit = std::getenv("JENSEN_COMMIT");  // bench/run sets it
    const BuildInfo build = build_info();
    set("benchmark", benchmark);
    set("date", date);
    set("device", device);
    set("commit", commit == nullptr ? "unknown" : commit);
    set("version", build.version);
    set("compiler", build.compiler);
    set("cuda", build.cuda);
  }
  void set(const std::string& key, const std::string& value) {
    head_ += fmt::format("  \"{}\": \"{}\",\n", key, value);
  }
  void set(const std::string& key, std::int64_t value) { head_ += fmt::format("  \"{}\": {},\n", key, value); }
  /// `fields`: the inside of a JSON object.
  void add_case(const std::string& fields) {
    cases_ += fmt::format("{}\n    {{{}}}", cases_.empty() ? "" : ",", fields);
  }
  /// False, with a sentence on stderr, if the file cannot be written. An empty path writes nothing.
  bool write(const std::string& path) const {
    if (path.empty()) return true;
    std::FILE* file = std::fopen(path.c_str(), "w");
    const bool written =
        file != nullptr && std::fputs(("{\n" + head_ + "  \"cases\": [" + cases_ + "\n  ]\n}\n").c_str(), file) >= 0;
    if (file == nullptr || std::fclose(file) != 0 || !written) {
      fmt::print(stderr, "cannot write '{}' (--json); give another file\n", path);
      return false;
    }
    return true;
  }

 private:
  std::string head_, cases_;
};

}  // namespace jensen::bench_report
