#pragma once

#include "storemon/model/error.hpp"

#include <catch2/catch.hpp>

/// A failed check shows the error's sentence; boost's own operator<< would need one of every value.
template <class T>
struct Catch::StringMaker<boost::system::result<T, storemon::error>> {
  static std::string convert(const boost::system::result<T, storemon::error>& r) {
    return r ? "a value" : "error: " + r.error().detail;
  }
};
