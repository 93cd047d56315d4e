#include "app/worker_main/probe.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>

#include "app/landlock.h"
#include "app/worker_main/places.h"
#include "app/worker_main/sandbox.h"
#include "base/unique_fd.h"

namespace longwire::app {
namespace {

bool opens(const std::string& path, int flags) {
  return base::UniqueFd(::open(path.c_str(), flags | O_CLOEXEC, 0600)).valid();
}

bool makes_socket(int family, int type) {
  return base::UniqueFd(::socket(family, type, 0)).valid();
}

// What must go on working, or PoCL would not: threads, children, files of its own.
bool lives() {
  bool ran = false;
  std::thread([&ran] { ran = true; }).join();
  const pid_t child = ::fork();
  if (child == 0) ::execl("/bin/true", "true", nullptr), ::_exit(1);
  int status = -1;
  return ran && ::waitpid(child, &status, 0) == child && status == 0 &&
         opens("probe.tmp", O_RDWR | O_CREAT) && ::unlink("probe.tmp") == 0;
}

struct Probe {
  const char* name;
  bool needs_landlock;
  bool (*succeeds)(const std::string& argument);
};

constexpr Probe kProbes[] = {
    {"lives", false, [](const std::string&) { return !lives(); }},  // turned: 0 is good
    {"tcp", false, [](const std::string&) { return makes_socket(AF_INET, SOCK_STREAM); }},
    {"tcp6", false, [](const std::string&) { return makes_socket(AF_INET6, SOCK_STREAM); }},
    {"udp", false, [](const std::string&) { return makes_socket(AF_INET, SOCK_DGRAM); }},
    {"unix", false, [](const std::string&) { return makes_socket(AF_UNIX, SOCK_STREAM); }},
    {"netlink", false, [](const std::string&) { return makes_socket(AF_NETLINK, SOCK_RAW); }},
    {"ptrace", false,
     [](const std::string&) { return ::ptrace(PTRACE_SEIZE, ::getppid(), 0, 0) == 0; }},
    {"kill", false, [](const std::string&) { return ::kill(::getppid(), 0) == 0; }},
    {"namespace", false, [](const std::string&) { return ::unshare(CLONE_NEWUSER) == 0; }},
    {"mount", false,
     [](const std::string&) { return ::mount("none", "/mnt", "tmpfs", 0, nullptr) == 0; }},
    {"io_uring", false,
     [](const std::string&) {
       return ::syscall(SYS_io_uring_setup, 1, nullptr) != -1 || errno == EFAULT;
     }},
    {"bpf", false,
     [](const std::string&) { return ::syscall(SYS_bpf, 0, nullptr, 0) != -1 || errno != EPERM; }},
    {"setuid", false, [](const std::string&) { return ::setuid(::getuid()) == 0; }},
    {"exec", false,
     [](const std::string& command) {
       ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
       return false;
     }},
    {"read", true, [](const std::string& path) { return opens(path, O_RDONLY); }},
    {"write", true, [](const std::string& path) { return opens(path, O_WRONLY | O_CREAT); }},
};

}  // namespace

int probe(const WorkerOptions& options, base::Logger& logger) {
  const std::size_t colon = options.probe.find(':');
  const std::string name = options.probe.substr(0, colon);
  const std::string argument =
      colon == std::string::npos ? std::string() : options.probe.substr(colon + 1);
  if (!enter_cache_of("probe", options.cache)) return kProbeUnknown;
  for (const Probe& candidate : kProbes) {
    if (name != candidate.name) continue;
    if (candidate.needs_landlock && landlock_version() == 0) return kProbeSkipped;
    if (!confine({options.sandbox, options.cache / "tenants" / "probe"}, logger)) {
      return kProbeUnknown;
    }
    return candidate.succeeds(argument) ? kProbeAllowed : kProbeRefused;
  }
  return kProbeUnknown;
}

}  // namespace longwire::app
