#include "storemon/ingest/batch_mark.hpp"

#include <openssl/evp.h>

#include <cstring>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace storemon::ingest {

namespace {

using words = std::array<uint64_t, 2>;

/// The first 128 bits of SHA-256 of the parts, one after the other.
words sha256(std::initializer_list<std::string_view> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  for (const auto part : parts)
    good = good && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  unsigned char digest[EVP_MAX_MD_SIZE];
  if (!good || EVP_DigestFinal_ex(context.get(), digest, nullptr) != 1)
    throw std::runtime_error("SHA-256 is not to be had"); // ends the worker; its client gets errc::internal
  words first;
  std::memcpy(first.data(), digest, sizeof first);
  return first;
}

} // namespace

batch_mark mark_of(const protocol::intake_request& request) {
  using namespace std::string_view_literals;
  const auto conflicts = static_cast<char>(request.conflicts);
  batch_mark mark;
  mark.body = sha256({*request.body, {&conflicts, 1}});
  mark.key = request.idempotency_key.empty() ? mark.body : sha256({"key\0"sv, request.idempotency_key});
  return mark;
}

} // namespace storemon::ingest
