#pragma once

#include <caf/all.hpp>

#include <memory>
#include <utility>

namespace storemon::protocol {

/// A value that costs a pointer to send within a process and travels by content between nodes. Never empty.
template <class T>
class shared {
public:
  shared() : value_(std::make_shared<const T>()) {}

  shared(T value)
      : value_(std::make_shared<const T>(std::move(value))) {} // NOLINT(google-explicit-constructor)

  const T& operator*() const noexcept { return *value_; }

  const T* operator->() const noexcept { return value_.get(); }

  const std::shared_ptr<const T>& pointer() const noexcept { return value_; }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, shared& x) {
    if constexpr (Inspector::writes_state) {
      T value{};
      auto load = [&]() -> caf::error {
        x.value_ = std::make_shared<const T>(std::move(value));
        return caf::none;
      };
      return f(value, caf::meta::load_callback(load));
    } else {
      return f(const_cast<T&>(*x.value_)); // inspectors that save do not write
    }
  }

private:
  std::shared_ptr<const T> value_;
};

} // namespace storemon::protocol
