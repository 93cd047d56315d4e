// Audit: who used this node, when, what for and how much, and who was turned away; for people who
// have to answer for it later. A file of its own beside the journal: one JSON object per line,
// appended whole, so that it can be read while it is written. docs/SECURITY.md, "Audit".
//
// Threads: one. Other processes of the same user may append too (`longwire trust revoke`): each
// line is one write() to a file opened for appending.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "node/config.h"
#include "node/journal.h"

namespace longwire::node {

inline constexpr std::uint32_t kMaxStrangersPerMinute = 30;

class Audit {
 public:
  // Writes nothing, and is content with it.
  Audit() = default;
  // Makes the file, mode 0600. The directory is there, and this user's alone. `journal` is told of
  // lost lines, and outlives this.
  static base::Result<std::unique_ptr<Audit>> open(std::filesystem::path path,
                                                   const AuditConfig& config, Journal& journal);

  // False where the line is lost (the disk is full): then it is counted, the journal is told once,
  // and the next line that can be written comes after one that names the number.
  bool write(std::string_view event, std::initializer_list<Field> fields) noexcept;
  // As write(), for what anybody can make the node write: at most kMaxStrangersPerMinute, so that
  // nobody can push the rest out of the files. The next line after a pause names how many are
  // missing.
  bool write_of_stranger(std::string_view event, std::initializer_list<Field> fields) noexcept;
  // No session may begin that is not on record.
  bool required() const noexcept { return config_.required; }
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  Audit(std::filesystem::path path, const AuditConfig& config, Journal& journal)
      : path_(std::move(path)), config_(config), journal_(&journal) {}
  base::Status append(std::string_view line);
  base::Status reopen();
  base::Status rotate();

  std::filesystem::path path_;
  AuditConfig config_;
  Journal* journal_ = nullptr;  // null: writes nothing
  base::UniqueFd file_;
  bool torn_ = false;  // the last line is there in part
  std::uint64_t lost_ = 0;
  std::uint64_t lost_untold_ = 0;
  base::Nanoseconds minute_began_ns_ = 0;
  std::uint32_t strangers_ = 0;  // of this minute
};

// The file, and what rotation makes of it: audit.log, audit.log.1 (older), …
std::filesystem::path audit_file(const std::filesystem::path& state_directory);
std::filesystem::path rotated(const std::filesystem::path& path, std::uint32_t age);

// "2026-11-20T20:03:23.125Z"; sorts as text.
std::string utc_now();

}  // namespace longwire::node
