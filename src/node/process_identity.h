// ProcessIdentity: which process of this machine a number once meant. Numbers are used again, so it
// takes the boot and the time at which the process began, too.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"

namespace longwire::node {

struct ProcessIdentity {
  std::array<std::uint8_t, 16> boot{};  // the kernel's random boot_id
  pid_t pid = -1;                       // and the number of its process group
  std::uint64_t start_ticks = 0;        // since the boot
  pid_t session = -1;                   // the kernel's kind (setsid), not ours
  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

// kNotFound: there is no such process, or this user may not look at it.
base::Result<ProcessIdentity> identify_process(pid_t pid);

// Its pidfd. kNotFound where it has ended, whoever has its number now.
base::Result<base::UniqueFd> open_process(const ProcessIdentity& process);

// Signals the whole group of a process that is not our child: first where the kernel can do that
// without a number (Linux 6.9), else by its number while the process is known to live.
void signal_group(const ProcessIdentity& process, int pidfd, int signal) noexcept;

// Kills what a process that has ended has left in its group: those of its group and its session, if
// nobody else has its number now.
void kill_leftovers(const ProcessIdentity& process) noexcept;

}  // namespace longwire::node
