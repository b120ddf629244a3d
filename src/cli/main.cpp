#include <fmt/format.h>

#include <cstdio>
#include <new>
#include <variant>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "jensen/errors.hpp"

namespace jensen::cli {

int run(const ShowCommand& command) {
  std::fputs(command.text.c_str(), stdout);
  return exit_done;
}

namespace {

int fail(ExitCode code, const char* sentence) {
  std::fputs("jensen: ", stderr);
  std::fputs(sentence, stderr);
  std::fputc('\n', stderr);
  return code;
}

int run_program(int argc, const char* const* argv) {
  try {
    const int code = std::visit([](const auto& command) { return run(command); }, parse_command_line(argc, argv));
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      return fail(exit_failed, "cannot write to the standard output; is the disk full?");
    }
    return code;
  } catch (const InputError& error) {
    return fail(exit_bad_input, error.what());
  } catch (const FileError& error) {
    return fail(exit_bad_input, error.what());
  } catch (const std::bad_alloc&) {
    return fail(exit_failed, "out of memory; use fewer columns, draws or samples, or a machine with more memory");
  } catch (const std::exception& error) {
    return fail(exit_failed, error.what());
  }
}

}  // namespace
}  // namespace jensen::cli

int main(int argc, char** argv) { return jensen::cli::run_program(argc, argv); }
