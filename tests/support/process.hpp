#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace storemon::test {

/// A descriptor that is closed at the end.
class descriptor {
public:
  explicit descriptor(int number) : number_(number) {
    if (number < 0)
      throw std::system_error(errno, std::generic_category(), "no descriptor");
  }

  ~descriptor() { reset(); }

  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  operator int() const noexcept { return number_; }

  void reset() noexcept {
    if (number_ >= 0)
      ::close(number_);
    number_ = -1;
  }

private:
  int number_;
};

/// A program of ours, run as its users run it. It is killed and reaped at the end at the latest, and dies
/// with the test program. Every wait is bounded; what goes wrong is thrown.
class process {
public:
  /// How long anything may take; a test that waits so long has failed.
  static constexpr std::chrono::seconds wait_max{60};

  explicit process(const std::vector<std::string>& command) : process(command, make_pipe()) {}

  ~process() {
    if (!status_)
      ::kill(pid_, SIGKILL);
    while (!status_ && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  process(const process&) = delete;
  process& operator=(const process&) = delete;

  void send_signal(int number) const { ::kill(pid_, number); }

  /// The next line of its standard output, without the line feed; nothing at the end of it.
  std::optional<std::string> read_line() {
    auto end = out_.find('\n');
    while (end == std::string::npos) {
      if (!fill())
        return std::nullopt;
      end = out_.find('\n');
    }
    auto line = out_.substr(0, end);
    out_.erase(0, end + 1);
    return line;
  }

  /// Waits for its end. @returns the exit code, or minus the number of the signal that killed it.
  int wait() {
    if (!status_) {
      while (fill()) {
      }
      await(pidfd_, "the process does not end");
      int status = 0;
      if (::waitpid(pid_, &status, 0) != pid_)
        throw std::system_error(errno, std::generic_category(), "waitpid");
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return *status_;
  }

  /// What is left of its standard output once it has ended.
  const std::string& out() const noexcept { return out_; }

  /// All it has written to standard error so far.
  std::string err() const {
    std::string text;
    std::array<char, 65536> part;
    ssize_t count = 0;
    while ((count = ::pread(err_file_, part.data(), part.size(), static_cast<off_t>(text.size()))) > 0)
      text.append(part.data(), static_cast<size_t>(count));
    return text;
  }

private:
  static std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      throw std::system_error(errno, std::generic_category(), "pipe2");
    return ends;
  }

  process(const std::vector<std::string>& command, std::array<int, 2> out)
      : out_pipe_(out[0]), err_file_(::memfd_create("stderr", MFD_CLOEXEC)), pid_(start(command, out[1])),
        pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))) {}

  pid_t start(const std::vector<std::string>& command, int out_end) const {
    const descriptor out(out_end);
    std::vector<char*> arguments;
    for (const auto& argument : command)
      arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const auto parent = ::getpid();
    const auto child = ::fork();
    if (child < 0)
      throw std::system_error(errno, std::generic_category(), "fork");
    if (child > 0)
      return child;
    // Only what is allowed between fork and exec in a program of several threads.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int in = ::open("/dev/null", O_RDONLY);
    if (::getppid() == parent && ::dup2(in, STDIN_FILENO) >= 0 && ::dup2(out, STDOUT_FILENO) >= 0 &&
        ::dup2(err_file_, STDERR_FILENO) >= 0)
      ::execv(arguments[0], arguments.data());
    constexpr int cannot_execute = 126;
    ::_exit(cannot_execute);
  }

  /// Waits until the descriptor can be read.
  static void await(int what, const char* failure) {
    pollfd waited{what, POLLIN, 0};
    const auto limit = std::chrono::milliseconds(wait_max);
    int ready = 0;
    while ((ready = ::poll(&waited, 1, static_cast<int>(limit.count()))) < 0 && errno == EINTR) {
    }
    if (ready <= 0)
      throw std::runtime_error(failure);
  }

  /// Reads some of its standard output; false at the end.
  bool fill() {
    await(out_pipe_, "the process says nothing and does not end");
    std::array<char, 65536> part;
    const auto count = ::read(out_pipe_, part.data(), part.size());
    if (count < 0)
      throw std::system_error(errno, std::generic_category(), "read");
    out_.append(part.data(), static_cast<size_t>(count));
    return count > 0;
  }

  descriptor out_pipe_;
  descriptor err_file_; ///< a file, not a pipe: the process never waits for a reader of its log
  pid_t pid_;
  descriptor pidfd_;
  std::string out_; ///< not yet taken by read_line()
  std::optional<int> status_;
};

/// What a program that was run to its end left.
struct outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

inline outcome run(const std::vector<std::string>& command) {
  process p(command);
  const int exit_code = p.wait();
  return {exit_code, p.out(), p.err()};
}

} // namespace storemon::test
