#include "base/result.h"

#include <cstring>

namespace longwire::base {

std::string_view name_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kPermissionDenied:
      return "permission denied";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kClosed:
      return "closed";
    case ErrorCode::kLinkLost:
      return "link lost";
    case ErrorCode::kWireFault:
      return "wire fault";
    case ErrorCode::kLimit:
      return "limit";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "unknown";
}

Error Error::from_errno(ErrorCode code, std::string_view what, int error_number) {
  char buffer[128];
  // The GNU strerror_r: may or may not use the buffer, returns the text.
  const char* text = ::strerror_r(error_number, buffer, sizeof buffer);
  return Error(code, std::string(what) + ": " + text);
}

Error&& Error::during(std::string_view what) && {
  message_.insert(0, std::string(what) + ": ");
  return std::move(*this);
}

std::string Error::to_string() const { return std::string(name_of(code_)) + ": " + message_; }

}  // namespace longwire::base
