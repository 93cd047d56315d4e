#include "app/worker_main/syscall_filter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "app/worker_main/syscalls.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::uint64_t kWhole = ~std::uint64_t{0};
constexpr std::uint64_t kInt = 0xffff'ffff;  // what the kernel looks at of an int
constexpr std::uint64_t kSocketType = 0xf;
constexpr std::uint64_t kDoor = 4;  // as src/node/worker_process.h has it
constexpr std::uint64_t kNewNamespaces = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET |
                                         CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS;

constexpr ArgumentRule kConditional[] = {
    {"clone", 0, kNewNamespaces, 0},
    // Streams and sequenced packets know one peer; a datagram could name any socket of the machine.
    {"socketpair", 1, kSocketType, SOCK_STREAM},
    {"socketpair", 1, kSocketType, SOCK_SEQPACKET},
    // Its door, where only the node's own agent comes; it can make no other socket listen.
    {"accept4", 0, kInt, kDoor},
    {"kill", 0, kWhole, kOwnPid},
    {"tgkill", 0, kWhole, kOwnPid},
    // Of this thread, or this process.
    {"prlimit64", 0, kWhole, 0},
    {"setpriority", 1, kWhole, 0},
    {"sched_setaffinity", 0, kWhole, 0},
    {"sched_setattr", 0, kWhole, 0},
    {"sched_setparam", 0, kWhole, 0},
    {"sched_setscheduler", 0, kWhole, 0},
    {"move_pages", 0, kWhole, 0},
    // Times of an open file; by path it could be any file of this user.
    {"utimensat", 1, kWhole, 0},
};

constexpr ArgumentRule kRefused[] = {
    // Typing on the agent's terminal.
    {"ioctl", 1, kInt, TIOCSTI},
    {"ioctl", 1, kInt, TIOCLINUX},
    {"ioctl", 1, kInt, TIOCSETD},
    // Having the kernel send signals to other processes of this user; slowing these down.
    {"ioctl", 1, kInt, FIOSETOWN},
    {"ioctl", 1, kInt, SIOCSPGRP},
    {"fcntl", 1, kInt, F_SETOWN},
    {"fcntl", 1, kInt, F_SETSIG},
    {"fcntl", 1, kInt, F_SETOWN_EX},
    {"setpriority", 0, kWhole, PRIO_PROCESS, true},
    // Connecting by sending.
    {"sendto", 4, kWhole, 0, true},
    {"sendto", 3, MSG_FASTOPEN, MSG_FASTOPEN},
    {"sendmsg", 2, MSG_FASTOPEN, MSG_FASTOPEN},
    {"sendmmsg", 3, MSG_FASTOPEN, MSG_FASTOPEN},
};

struct FreeFilter {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FreeFilter>;

Status checked(int result, std::string_view what) {
  if (result == 0) return {};
  return Error::from_errno(ErrorCode::kInternal, std::string("seccomp: ") + std::string(what),
                           -result);
}

Status add_families(scmp_filter_ctx filter) {
  for (const char* name : kAllowedCalls) {
    const int call = ::seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR || call < 0) continue;  // not of this architecture
    LW_TRY(checked(::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0), name));
  }
  return {};
}

Status add_rule(scmp_filter_ctx filter, std::uint32_t action, const ArgumentRule& rule) {
  const auto value = rule.value == kOwnPid ? static_cast<scmp_datum_t>(::getpid()) : rule.value;
  scmp_arg_cmp condition{rule.argument, SCMP_CMP_MASKED_EQ, rule.mask, value};
  if (rule.differs) condition = {rule.argument, SCMP_CMP_NE, value, 0};
  const int call = ::seccomp_syscall_resolve_name(rule.call);
  return checked(::seccomp_rule_add_array(filter, action, call, 1, &condition), rule.call);
}

Status add_rules(scmp_filter_ctx filter, std::uint32_t action,
                 std::span<const ArgumentRule> rules) {
  for (const ArgumentRule& rule : rules)
    LW_TRY(add_rule(filter, action, rule));
  return {};
}

Status load(scmp_filter_ctx filter) {
  LW_TRY(checked(::seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize"));
  return checked(::seccomp_load(filter), "load");
}

// The second filter goes in first: the first one lets no further filter in.
Status refuse_uses(std::uint32_t refusal) {
  const Filter filter(::seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return Error(ErrorCode::kInternal, "seccomp: no memory");
  LW_TRY(add_rules(filter.get(), refusal, refused_uses()));
  return load(filter.get());
}

Status allow_calls(std::uint32_t refusal) {
  const Filter filter(::seccomp_init(refusal));
  if (!filter) return Error(ErrorCode::kInternal, "seccomp: no memory");
  LW_TRY(add_families(filter.get()));
  LW_TRY(add_rules(filter.get(), SCMP_ACT_ALLOW, conditional_calls()));
  // clone3 keeps its flags in memory, where no filter sees them: libc shall use clone.
  if (refusal != SCMP_ACT_LOG) {
    LW_TRY(checked(::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0),
                   "clone3"));
  }
  return load(filter.get());
}

}  // namespace

std::span<const ArgumentRule> conditional_calls() { return kConditional; }
std::span<const ArgumentRule> refused_uses() { return kRefused; }

Status restrict_calls(Confinement strictness) {
  const std::uint32_t refusal =
      strictness == Confinement::kLog ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM);
  LW_TRY(refuse_uses(refusal));
  return allow_calls(refusal);
}

}  // namespace longwire::app
