#pragma once
/// \file Drives the program as a child process in a fresh directory, through pipes or on a terminal.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "temporary_directory.hpp"

namespace jensen::test {

namespace fs = std::filesystem;

struct Result {
  int code = -1;    ///< exit code, -1 if a signal ended the program
  int signal = 0;   ///< that signal
  std::string out;  ///< stdout
  std::string err;  ///< stderr; all of the terminal's output for a run on one
};

struct How {
  std::optional<rlim_t> largest_file;                    ///< no file can grow beyond these bytes
  bool ignore_hangup = false;                            ///< as nohup does
  std::optional<double> kill_after;                      ///< seconds, then SIGKILL
  std::function<void(pid_t)> started;                    ///< is called once, before anything is read
  std::string stdin_file;                                ///< instead of what the test has
  std::string stdout_file;                               ///< instead of the pipe
  std::function<void(pid_t, const std::string&)> watch;  ///< sees stderr as it grows
};

inline std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void spit(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  ASSERT_TRUE(file.flush().good()) << path;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

inline const std::vector<std::string> gaussian = {"--family", "gaussian", "--out", "fit"};

inline std::vector<std::string> train_words(const std::string& formula, const std::string& data,
                                            std::vector<std::string> more = gaussian) {
  std::vector<std::string> words = {"train", formula, "--data", data};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline std::vector<std::string> family_words(const std::string& formula, const std::string& family) {
  return train_words(formula, "t.csv", {"--family", family, "--out", "fit"});
}

class Cli : public testing::Test {
 protected:
  Cli() = default;
  /// The fresh directory is made in `parent`.
  explicit Cli(const fs::path& parent) : directory_(parent) {}

  /// In the child: never returns.
  [[noreturn]] void become_program(const std::vector<std::string>& words, const How& how) const {
    if (chdir(dir_.c_str()) != 0) _exit(126);
    setenv("TMPDIR", dir_.c_str(), 1);  // so that files left there are seen
    setenv("TERM", "xterm", 1);
    if (how.largest_file) {
      const rlimit limit = {*how.largest_file, *how.largest_file};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (how.ignore_hangup) ::signal(SIGHUP, SIG_IGN);
    if (!how.stdin_file.empty()) dup2(open(how.stdin_file.c_str(), O_RDONLY), STDIN_FILENO);
    if (!how.stdout_file.empty()) dup2(open(how.stdout_file.c_str(), O_WRONLY), STDOUT_FILENO);
    std::vector<char*> argv = {const_cast<char*>(JENSEN_PROGRAM)};
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    execv(JENSEN_PROGRAM, argv.data());
    _exit(127);
  }

  Result run(const std::vector<std::string>& words, const How& how = {}) const {
    std::array<int, 2> out{}, err{};
    EXPECT_EQ(pipe(out.data()), 0);
    EXPECT_EQ(pipe(err.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      dup2(out[1], STDOUT_FILENO);
      dup2(err[1], STDERR_FILENO);
      for (const int fd : {out[0], out[1], err[0], err[1]}) close(fd);
      become_program(words, how);
    }
    close(out[1]);
    close(err[1]);
    Result result;
    collect(child, {{out[0], &result.out}, {err[0], &result.err}}, result, how);
    return result;
  }

  Result run_on_terminal(const std::vector<std::string>& words, int columns, const How& how = {}) const {
    winsize size = {};
    size.ws_row = 40;
    size.ws_col = static_cast<unsigned short>(columns);
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
    if (child == 0) become_program(words, how);
    Result result;
    collect(child, {{terminal, &result.err}}, result, how);
    return result;
  }

  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(dir_)) names.insert(entry.path().string());
    return names;
  }

  /// y = 1 + 2 x + noise, a 0/1 response b, a count n, two factors; `rows` rows.
  void write_table(const fs::path& name, int rows) const {
    std::mt19937 random(7);
    std::string text = "y,x,b,n,f,zip,two words\n";
    for (int i = 0; i < rows; ++i) {
      const auto uniform = [&] { return static_cast<double>(random() % 10000) / 10000; };
      const double x = uniform(), noise = uniform() + uniform() - 1;
      text +=
          fmt::format("{:.4f},{:.4f},{},{},{},0{},{:.4f}\n", 1 + 2 * x + noise, x, uniform() < 0.3 + 0.4 * x ? 1 : 0,
                      random() % 5, "abc"[random() % 3], 1 + random() % 3, uniform());
    }
    spit(dir_ / name, text);
  }

  /// A short fit of y ~ x in fit/.
  Result fit(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"train", "y ~ x", "--family", "gaussian", "--data",   "t.csv",
                                      "--out", "fit",   "--steps",  "200",      "--device", "cpu"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }

  /// A fit of y ~ x in fit/ that would take days, sent these signals at once when it has shown some progress.
  Result interrupted_fit(const std::vector<int>& signals) const {
    How how;
    bool sent = false;
    how.watch = [&sent, &signals](pid_t child, const std::string& err) {
      if (sent || err.find("\nstep ") == std::string::npos) return;
      sent = true;
      for (const int number : signals) kill(child, number);
    };
    return run({"train", "y ~ x", "--family", "gaussian", "--data", "t.csv", "--out", "fit", "--steps", "1000000000",
                "--device", "cpu"},
               how);
  }

  /// Bad usage or input: exit 2, `lines` lines on stderr, nothing on stdout, no file made or changed.
  void expect_refused(const std::vector<std::string>& words, const std::string& part, int lines = 1) const {
    SCOPED_TRACE(testing::PrintToString(words));
    const auto before = files();
    const Result result = run(words);
    EXPECT_EQ(result.code, 2) << "signal " << result.signal << "\n" << result.err;
    EXPECT_THAT(result.err, testing::AllOf(testing::StartsWith("jensen: "), testing::HasSubstr(part)));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), lines) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(files(), before);
  }

  TemporaryDirectory directory_;
  fs::path dir_ = directory_.path();

 private:
  struct Stream {
    int fd;
    std::string* text;
  };

  static void collect(pid_t child, std::vector<Stream> streams, Result& result, const How& how) {
    using Clock = std::chrono::steady_clock;
    std::optional<Clock::time_point> end;
    if (how.kill_after) {
      end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*how.kill_after));
    }
    if (how.started) how.started(child);
    while (!streams.empty()) {
      std::vector<pollfd> waits;
      for (const Stream& stream : streams) waits.push_back({stream.fd, POLLIN, 0});
      timespec left = {};
      if (end) {
        const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(*end - Clock::now()).count();
        left = {std::max<long>(ns, 0) / 1'000'000'000, std::max<long>(ns, 0) % 1'000'000'000};
      }
      if (ppoll(waits.data(), waits.size(), end ? &left : nullptr, nullptr) == 0) {
        kill(child, SIGKILL);
        end.reset();
        continue;
      }
      for (std::size_t i = waits.size(); i-- > 0;) {
        if (waits[i].revents == 0) continue;
        std::array<char, 65536> bytes{};
        const ssize_t count = read(streams[i].fd, bytes.data(), bytes.size());
        if (count > 0) {
          streams[i].text->append(bytes.data(), static_cast<std::size_t>(count));
          if (how.watch) how.watch(child, result.err);
        } else {  // the end; a terminal says EIO
          close(streams[i].fd);
          streams.erase(streams.begin() + static_cast<std::ptrdiff_t>(i));
        }
      }
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  }
};

}  // namespace jensen::test
