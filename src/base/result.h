// Error and Result<T>: how Longwire's own failures travel (STYLE.md rule 10).
//
// Three kinds of failure are kept apart:
//   * API status (cl_int, CUresult) is data and never becomes an Error;
//   * Error is ours: a code, a message and a chain of "while ...";
//   * a wire fault (ErrorCode::kWireFault) means that the peer broke the protocol: the session that
//     saw it closes, never the process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace longwire::base {

enum class ErrorCode : std::uint8_t {
  kInvalidArgument,   // what a user or a configuration file said makes no sense
  kNotFound,          // a file, a host, a key, an object
  kPermissionDenied,  // refused by the peer, or by this machine
  kUnauthenticated,   // the peer is not who it should be
  kUnavailable,       // cannot be reached now; another try may succeed
  kTimeout,           // a named time-out passed
  kClosed,            // the link or session has ended in order
  kLinkLost,          // the link broke
  kWireFault,         // the peer broke the protocol
  kLimit,             // a named limit would be passed
  kUnsupported,       // version or feature not known to both sides
  kInternal,          // our own bug, or the operating system failed us
};

std::string_view name_of(ErrorCode code) noexcept;

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  // Error from errno, e.g. "connect to 10.0.0.1:9000: Connection refused".
  static Error from_errno(ErrorCode code, std::string_view what, int error_number);

  ErrorCode code() const noexcept { return code_; }
  // The message with its chain: "cannot reach node a:1: connect: Connection refused".
  const std::string& message() const noexcept { return message_; }
  // Puts "what: " before the message.
  Error&& during(std::string_view what) &&;
  std::string to_string() const;  // "unavailable: message"

 private:
  ErrorCode code_;
  std::string message_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // REQUIRES: ok().
  T& value() & {
    LW_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    LW_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    LW_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !ok().
  const Error& error() const& {
    LW_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    LW_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const& {
    LW_CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    LW_CHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace longwire::base

// Returns the error of `expr` (a Status or Result) from the calling function.
#define LW_TRY(expr)                                                             \
  do {                                                                           \
    if (auto lw_try_ = (expr); !lw_try_.ok()) return std::move(lw_try_).error(); \
  } while (false)

// LW_ASSIGN(auto x, f()): x = f().value(), or returns f()'s error.
#define LW_ASSIGN_CAT2(a, b) a##b
#define LW_ASSIGN_CAT(a, b) LW_ASSIGN_CAT2(a, b)
#define LW_ASSIGN(decl, expr) LW_ASSIGN_IMPL(LW_ASSIGN_CAT(lw_result_, __LINE__), decl, expr)
#define LW_ASSIGN_IMPL(tmp, decl, expr)         \
  auto tmp = (expr);                            \
  if (!tmp.ok()) return std::move(tmp).error(); \
  decl = std::move(tmp).value()
