// Scratch: a private directory for one run, gone with it.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace longwire::app {

class Scratch {
 public:
  // Under $TMPDIR, or /tmp where that is unset or too long for a unix socket; mode 0700.
  static base::Result<Scratch> make();
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  explicit Scratch(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace longwire::app
