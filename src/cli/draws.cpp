#include <fmt/format.h>

#include <iterator>

#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "cli/report.hpp"
#include "cli/text.hpp"
#include "jensen/io.hpp"

namespace jensen::cli {
namespace {

/// RFC 4180: quoted if it holds a separator, a quote or a line end.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

void write_line(OutputFile& file, fmt::memory_buffer& line) {
  line.push_back('\n');
  file.write({line.data(), line.size()});
  line.clear();
}

}  // namespace

int run(const DrawsCommand& command) {
  check_output_file(command.out, command.force);
  const Fit fit = load_fit(command.fit);
  const std::size_t columns = fit.parameters.size();
  const std::vector<double> draws = fit.draw(command.count, command.seed);

  OutputFile file(command.out);
  fmt::memory_buffer line;
  for (std::size_t d = 0; d < columns; ++d) {
    fmt::format_to(std::back_inserter(line), "{}{}", d == 0 ? "" : ",", csv_cell(fit.parameters[d].name));
  }
  write_line(file, line);
  for (std::size_t i = 0; i < command.count; ++i) {
    for (std::size_t d = 0; d < columns; ++d) {
      fmt::format_to(std::back_inserter(line), "{}{}", d == 0 ? "" : ",", draws[i * columns + d]);
    }
    write_line(file, line);
  }
  file.commit();
  if (!command.quiet) {
    say("{} of {}{}\n", counted(static_cast<std::int64_t>(command.count), "draw"),
        counted(static_cast<std::int64_t>(columns), "parameter"), saved_in(command.out));
  }
  warn(fit);
  return exit_done;
}

}  // namespace jensen::cli
