#include "app/longwire/scratch.h"

#include <stdlib.h>

#include <cerrno>
#include <string>

namespace longwire::app {
namespace {

inline constexpr std::size_t kMaxParentBytes = 60;  // a socket's path has 107

}  // namespace

base::Result<Scratch> Scratch::make() {
  const char* named = ::getenv("TMPDIR");
  std::string pattern = named != nullptr && named[0] == '/' ? named : "/tmp";
  if (pattern.size() > kMaxParentBytes) pattern = "/tmp";
  pattern += "/longwire-run-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    return base::Error::from_errno(base::ErrorCode::kUnavailable, "mkdtemp " + pattern, errno);
  }
  return Scratch(pattern);
}

Scratch::~Scratch() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace longwire::app
