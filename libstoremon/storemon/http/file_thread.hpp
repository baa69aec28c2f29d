#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

namespace storemon::http {

/// A thread for what may block and therefore has no place on the server's: writing files.
class file_thread {
public:
  /// Waits for what is under way.
  ~file_thread() { pool_.join(); }

  file_thread() = default;
  file_thread(const file_thread&) = delete;
  file_thread& operator=(const file_thread&) = delete;

  /// `co_await run(work)` gives what `work()` returned on the thread. Work owns what it needs: the coroutine
  /// that waits may be gone by then.
  template <class Work>
  auto run(Work work) {
    using answer_type = std::invoke_result_t<Work&>;
    auto initiate = [this](auto handler, Work todo) {
      auto guard = boost::asio::make_work_guard(handler);
      boost::asio::post(pool_, [h = std::move(handler), g = std::move(guard), t = std::move(todo)]() mutable {
        auto resume = [h = std::move(h), answer = t()]() mutable { std::move(h)(std::move(answer)); };
        boost::asio::post(g.get_executor(), std::move(resume));
      });
    };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(answer_type)>(
        std::move(initiate), boost::asio::use_awaitable, std::move(work));
  }

private:
  boost::asio::thread_pool pool_{1};
};

} // namespace storemon::http
