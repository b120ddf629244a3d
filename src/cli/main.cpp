#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
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
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit on file sizes fails, as one to a full disk, with a message
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

/// Makes threads that wait for the others of a parallel loop sleep rather than spin: where other programs use the
/// processors too, spinning costs far more than waking up. The OpenMP runtime reads its environment before main, hence
/// the restart; if that fails, the program goes on as it is. Where threads are bound to processors, this one already is
/// to its own, and after a restart there would be no others.
void let_waiting_threads_sleep(char** argv) {
  for (const char* own_choice : {"OMP_WAIT_POLICY", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"}) {
    if (std::getenv(own_choice) != nullptr) return;
  }
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);
}

}  // namespace
}  // namespace jensen::cli

int main(int argc, char** argv) {
  jensen::cli::let_waiting_threads_sleep(argv);
  return jensen::cli::run_program(argc, argv);
}
