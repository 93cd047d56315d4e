#include "node/process_identity.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>

namespace longwire::node {
namespace {

using base::Error;
using base::ErrorCode;

constexpr unsigned kSignalProcessGroup = 1u << 2;  // PIDFD_SIGNAL_PROCESS_GROUP
constexpr int kFieldsBeforeStart = 15;             // of proc(5)'s stat: from tty_nr to itrealvalue

struct StatLine {
  pid_t group = -1;
  pid_t session = -1;
  std::uint64_t start_ticks = 0;
};

// Of /proc, where streams throw when the process goes between open and read.
std::string contents_of(const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> text;
  const ssize_t bytes = file.valid() ? ::read(file.get(), text.data(), text.size()) : -1;
  return bytes > 0 ? std::string(text.data(), static_cast<std::size_t>(bytes)) : std::string();
}

// The name, second of its fields, may hold anything: what follows its last bracket counts.
base::Result<StatLine> stat_of(pid_t pid) {
  const std::string text = contents_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = text.rfind(')');
  const Error none(ErrorCode::kNotFound, "no process " + std::to_string(pid));
  if (name_end == std::string::npos) return none;
  std::istringstream fields(text.substr(name_end + 1));
  StatLine line;
  std::string skipped;
  fields >> skipped >> skipped >> line.group >> line.session;
  for (int i = 0; i < kFieldsBeforeStart; ++i)
    fields >> skipped;
  fields >> line.start_ticks;
  if (!fields) return none;
  return line;
}

base::Result<std::array<std::uint8_t, 16>> boot_id() {
  std::array<std::uint8_t, 16> id{};
  std::size_t digits = 0;
  for (const char c : contents_of("/proc/sys/kernel/random/boot_id")) {
    unsigned value = 0;
    if (c == '-') continue;
    if (digits == 2 * id.size() || std::from_chars(&c, &c + 1, value, 16).ec != std::errc()) break;
    id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4 | value);
    ++digits;
  }
  if (digits == 2 * id.size()) return id;
  return Error(ErrorCode::kNotFound, "the kernel does not say which boot this is");
}

bool has_ended(int pidfd) {
  pollfd polled{pidfd, POLLIN, 0};
  return ::poll(&polled, 1, 0) != 0;
}

}  // namespace

base::Result<ProcessIdentity> identify_process(pid_t pid) {
  LW_ASSIGN(const auto boot, boot_id());
  LW_ASSIGN(const StatLine stat, stat_of(pid));
  return ProcessIdentity{boot, pid, stat.start_ticks, stat.session};
}

base::Result<base::UniqueFd> open_process(const ProcessIdentity& process) {
  const Error gone(ErrorCode::kNotFound, "process " + std::to_string(process.pid) + " has ended");
  if (process.pid <= 1) return gone;
  base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!pidfd.valid()) return gone;
  // From here on the number is that process's as long as it has not ended; so look in this order.
  const auto now = identify_process(process.pid);
  if (!now || *now != process || has_ended(pidfd.get())) return gone;
  return pidfd;
}

void signal_group(const ProcessIdentity& process, int pidfd, int signal) noexcept {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, kSignalProcessGroup) == 0) return;
  if (errno == EINVAL && !has_ended(pidfd)) ::kill(-process.pid, signal);
}

void kill_leftovers(const ProcessIdentity& process) noexcept {
  const auto boot = boot_id();
  if (!boot || *boot != process.boot) return;
  // A number is not given out again while there is a group of that number.
  const auto leader = stat_of(process.pid);
  if (leader && leader->start_ticks != process.start_ticks) return;
  std::error_code error;
  for (std::filesystem::directory_iterator i("/proc", error), end; !error && i != end;
       i.increment(error)) {
    const std::string name = i->path().filename().string();
    pid_t pid = -1;
    const auto [stop, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc() || stop != name.data() + name.size()) continue;
    const auto stat = stat_of(pid);
    const bool of_it = stat && stat->group == process.pid && stat->session == process.session &&
                       stat->start_ticks >= process.start_ticks;
    if (of_it) ::kill(pid, SIGKILL);
  }
}

}  // namespace longwire::node
