#include "node/audit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

namespace longwire::node {

using base::Error;
using base::ErrorCode;
using base::LogLevel;
using base::Status;

namespace {

Error failed(const std::filesystem::path& path, const char* what) {
  return Error::from_errno(ErrorCode::kUnavailable, std::string(what) + " " + path.string(), errno);
}

// As Journal writes its JSON: everything but printable ASCII is escaped, long values are cut.
std::string line_of(std::string_view event, std::initializer_list<Field> fields) {
  return "{\"time\":\"" + utc_now() + "\"," + format_event(event, fields, true).substr(1) + "\n";
}

}  // namespace

std::filesystem::path audit_file(const std::filesystem::path& state_directory) {
  return state_directory / "audit.log";
}

std::filesystem::path rotated(const std::filesystem::path& path, std::uint32_t age) {
  return age == 0 ? path : std::filesystem::path(path.string() + "." + std::to_string(age));
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s.%03dZ", date.data(), static_cast<int>(ms % 1000));
  return text.data();
}

base::Result<std::unique_ptr<Audit>> Audit::open(std::filesystem::path path,
                                                 const AuditConfig& config, Journal& journal) {
  std::unique_ptr<Audit> audit(new Audit(std::move(path), config, journal));
  LW_TRY(audit->reopen());
  return audit;
}

Status Audit::reopen() {
  file_.reset(::open(path_.c_str(),
                     O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  struct stat info {};
  if (!file_.valid() || ::fstat(file_.get(), &info) != 0) return failed(path_, "open");
  if (!S_ISREG(info.st_mode)) {
    file_.reset();
    return Error(ErrorCode::kInvalidArgument, path_.string() + " is not a file");
  }
  if (info.st_uid != ::geteuid() || (info.st_mode & 077) != 0) {
    file_.reset();
    return Error(ErrorCode::kPermissionDenied,
                 path_.string() + " is open to others: run chmod 600 on it, or move it away");
  }
  return {};
}

Status Audit::rotate() {
  for (std::uint32_t age = config_.files - 1; age > 0; --age) {
    if (::rename(rotated(path_, age - 1).c_str(), rotated(path_, age).c_str()) != 0 &&
        errno != ENOENT) {
      return failed(rotated(path_, age), "rename to");
    }
  }
  if (config_.files == 1 && ::unlink(path_.c_str()) != 0) return failed(path_, "remove");
  torn_ = false;
  return reopen();
}

Status Audit::append(std::string_view line) {
  struct stat info {};
  struct stat there {};
  const bool same = file_.valid() && ::fstat(file_.get(), &info) == 0 &&
                    ::lstat(path_.c_str(), &there) == 0 && info.st_ino == there.st_ino &&
                    info.st_dev == there.st_dev;
  if (!same) LW_TRY(reopen());  // somebody has moved it away
  if (::fstat(file_.get(), &info) != 0) return failed(path_, "read");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > 0 && size + line.size() > config_.max_size_bytes) LW_TRY(rotate());
  // What is left of a torn line is a line of its own, which readers skip.
  const std::string whole = (torn_ ? "\n" : "") + std::string(line);
  ssize_t written = 0;
  do {
    written = ::write(file_.get(), whole.data(), whole.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return failed(path_, "write");
  torn_ = static_cast<std::size_t>(written) != whole.size();
  if (torn_) return Error(ErrorCode::kUnavailable, "no room for all of a line");
  if (config_.required && ::fdatasync(file_.get()) != 0) return failed(path_, "write");
  return {};
}

bool Audit::write(std::string_view event, std::initializer_list<Field> fields) noexcept {
  if (journal_ == nullptr) return true;
  Status written;
  try {
    std::string lines;
    if (lost_untold_ > 0) lines = line_of("audit.gap", {{"lost", lost_untold_}});
    written = append(lines + line_of(event, fields));
  } catch (const std::exception& error) {  // no memory: as if the disk were full
    written = Error(ErrorCode::kLimit, error.what());
  }
  if (written.ok()) {
    lost_untold_ = 0;
    return true;
  }
  ++lost_;
  if (lost_untold_++ == 0) {
    journal_->event(LogLevel::kError, "audit.lost", {{"reason", written.error().message()}});
  }
  return false;
}

bool Audit::write_of_stranger(std::string_view event,
                              std::initializer_list<Field> fields) noexcept {
  const base::Nanoseconds now_ns = base::monotonic_clock().now_ns();
  if (strangers_ == 0 || now_ns - minute_began_ns_ >= 60 * base::kSecond) {
    const std::uint32_t before = std::exchange(strangers_, 0);
    minute_began_ns_ = now_ns;
    if (before > kMaxStrangersPerMinute) {
      write("audit.skipped", {{"lines", before - kMaxStrangersPerMinute}});
    }
  }
  return ++strangers_ > kMaxStrangersPerMinute || write(event, fields);
}

}  // namespace longwire::node
