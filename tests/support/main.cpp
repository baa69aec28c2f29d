/// The main of every test program, with a watchdog: a lifetime mistake between actors shows as a hang, and a
/// hang must end as a failure with a name, not as a CI run out of time. STOREMON_TEST_SECONDS: when it bites,
/// for runs that are long on purpose.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <unistd.h>

int main(int argc, char** argv) {
  const auto* wanted = std::getenv("STOREMON_TEST_SECONDS");
  const std::chrono::seconds run_max(wanted ? std::strtol(wanted, nullptr, 10) : 280);
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  std::thread watchdog([&] {
    std::unique_lock lock(mutex);
    if (!ended.wait_for(lock, run_max, [&] { return done; })) {
      std::fputs("watchdog: the test program hangs\n", stderr);
      _exit(3);
    }
  });
  const int failed = Catch::Session().run(argc, argv);
  {
    std::lock_guard lock(mutex);
    done = true;
  }
  ended.notify_one();
  watchdog.join();
  return failed;
}
