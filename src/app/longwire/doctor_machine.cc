#include "app/longwire/doctor_machine.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "app/landlock.h"
#include "app/longwire/doctor_driver.h"
#include "app/longwire/table.h"
#include "app/status_desk.h"
#include "app/tenant_users.h"
#include "base/unique_fd.h"
#include "link/tcp/tcp.h"
#include "link/unix/unix.h"
#include "node/local_user.h"
#include "node/worker_cgroup.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr base::Nanoseconds kAgentTimeoutNs = 5 * base::kSecond;
constexpr std::size_t kMaxDeviceFiles = 4096;  // that are looked at
constexpr mode_t kOthers = 077;

// The folder, or the one that it will be made in.
fs::path existing_part(fs::path folder) {
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path())
    folder = folder.parent_path();
  return folder;
}

std::string names_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names)
    list += (list.empty() ? "" : ", ") + name;
  return list;
}

bool is_device_of_ours(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.starts_with("renderD") || name.starts_with("nvidia") || name == "kfd";
}

void add_devices(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code error;
  std::size_t seen = 0;
  for (fs::directory_iterator i(folder, error), end; !error && i != end && seen < kMaxDeviceFiles;
       i.increment(error), ++seen) {
    std::error_code ignored;
    if (is_device_of_ours(i->path()) && !i->is_directory(ignored)) files.push_back(i->path());
  }
}

// SECCOMP_GET_ACTION_AVAIL of the action that the cage uses.
bool has_seccomp() {
  const std::uint32_t action = SECCOMP_RET_ERRNO;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

Finding check_seccomp() {
  if (has_seccomp()) return fine("seccomp", "the kernel has it");
  return problem("seccomp",
                 std::string("the kernel has no seccomp filters: ") + std::strerror(errno),
                 "a kernel with CONFIG_SECCOMP_FILTER; a container's own filter must allow "
                 "seccomp(2). Only for trusted clients: worker.sandbox = \"off\"");
}

Finding check_landlock() {
  const int version = landlock_version();
  if (version > 0) return fine("landlock", "version " + std::to_string(version));
  return warning("landlock", "not available: workers' file access is that of their user",
                 "a kernel from 5.13 with lsm=landlock,... ; in a container, a filter that allows "
                 "its system calls");
}

}  // namespace

Finding check_state(const fs::path& state) {
  struct stat facts {};
  if (::stat(state.c_str(), &facts) != 0) {
    if (errno == ENOENT) return skipped("state", state.string() + " is made at the first start");
    return problem("state", state.string() + ": " + std::strerror(errno),
                   "run this as the node's user or root");
  }
  if (!S_ISDIR(facts.st_mode)) {
    return problem("state", state.string() + " is no folder", "move it away");
  }
  if ((facts.st_mode & kOthers) != 0) {
    return problem("state", state.string() + " is open to other users",
                   "chmod 700 " + state.string());
  }
  if (facts.st_uid != ::geteuid() && ::geteuid() != 0) {
    return problem("state", state.string() + " belongs to user " + std::to_string(facts.st_uid),
                   "run this as that user or root");
  }
  return fine("state", state.string() + " is private");
}

Finding check_disk(const char* check, const fs::path& folder) {
  const fs::path place = existing_part(folder);
  struct statvfs facts {};
  if (::statvfs(place.c_str(), &facts) != 0) {
    return problem(check, place.string() + ": " + std::strerror(errno),
                   "mount what should be there");
  }
  const std::uint64_t bytes = std::uint64_t{facts.f_bavail} * facts.f_frsize;
  const bool counts_files = facts.f_files != 0;  // some file systems do not
  const std::string seen =
      place.string() + " has " + show_bytes(bytes) +
      (counts_files ? " and " + std::to_string(facts.f_favail) + " files" : "") + " left";
  if ((facts.f_flag & ST_RDONLY) != 0) {
    return problem(check, place.string() + " is mounted read-only", "mount it for writing");
  }
  const std::string mend = "make room there: builds are cached and keys kept in it";
  if (bytes < kFullDiskBytes || (counts_files && facts.f_favail < kFullDiskFiles)) {
    return problem(check, seen, mend);
  }
  if (bytes < kLowDiskBytes || (counts_files && facts.f_favail < kLowDiskFiles)) {
    return warning(check, seen, mend);
  }
  return fine(check, seen);
}

Finding check_agent(const fs::path& state, bool& runs) {
  const std::string path = status_socket(state).string();
  const auto socket =
      link::connect_unix(path, base::Deadline::in(base::monotonic_clock(), kAgentTimeoutNs));
  runs = socket.ok();
  if (runs) return fine("agent", "a node runs, and answers at " + path);
  return warning("agent", "no node runs with this state (" + socket.error().message() + ")",
                 "systemctl enable --now longwired, or longwire serve");
}

Finding check_ports(const node::ListenConfig& listen) {
  std::vector<std::string> free;
  for (const auto* list : {&listen.tls, &listen.plain}) {
    for (const node::Address& address : *list) {
      const auto bound = link::TcpListener::listen({address.host, address.port});
      if (!bound) {
        return problem("ports", bound.error().message(),
                       "ss -ltnp 'sport = :" + std::to_string(address.port) +
                           "' says who has it; stop that, or name another in listen.tls");
      }
      free.push_back(node::to_string(address));
    }
  }
  return fine("ports", free.empty() ? "none is configured" : names_of(free) + ": free");
}

Finding check_platforms(const base::Result<std::vector<std::string>>& platforms) {
  if (!platforms && platforms.error().code() == ErrorCode::kNotFound) {
    return problem("platforms", platforms.error().message(),
                   "install an OpenCL loader: apt install ocl-icd-libopencl1");
  }
  if (!platforms) {
    return problem("platforms", "asking the OpenCL drivers here: " + platforms.error().message(),
                   "find the driver that fails, with clinfo, and take its .icd file away");
  }
  if (platforms->empty()) {
    return problem("platforms", "no OpenCL device that this user can use",
                   "install the OpenCL driver of its devices (pocl-opencl-icd lends the CPU)");
  }
  return fine("platforms", names_of(*platforms));
}

Finding check_device_files(const fs::path& dev) {
  std::vector<fs::path> files;
  add_devices(dev, files);
  add_devices(dev / "dri", files);
  std::vector<std::string> closed;
  for (const fs::path& file : files) {
    if (::access(file.c_str(), R_OK | W_OK) != 0) closed.push_back(file.string());
  }
  std::ranges::sort(closed);
  if (files.empty()) return skipped("device-files", "no graphics device in " + dev.string());
  if (closed.empty())
    return fine("device-files", "this user may use all " + std::to_string(files.size()));
  return problem("device-files", "this user may not use " + names_of(closed),
                 "usermod -aG render,video USER, and log in again");
}

Findings check_sandbox(const node::NodeConfig& config) {
  if (config.worker.sandbox == node::SandboxMode::kOff) {
    return {warning("sandbox", "worker.sandbox is off", "remove that line, except to debug")};
  }
  Findings findings = {check_seccomp(), check_landlock()};
  const std::string why = no_tenant_users_because(config);
  findings.push_back(why.empty()
                         ? fine("tenant-users", "each tenant's workers have a user of their own")
                         : skipped("tenant-users", "tenants share the node's user: " + why));
  return findings;
}

Finding check_cgroup(const node::NodeConfig& config) {
  const auto socket =
      link::connect_unix(status_socket(config.state.directory).string(),
                         base::Deadline::in(base::monotonic_clock(), kAgentTimeoutNs));
  const auto agent = socket ? node::local_user_of(socket->get()) : socket.error();
  if (!agent) return skipped("cgroup", "no node runs, whose workers could have one each");
  const auto place = node::WorkerCgroups::find(agent->process);
  const bool limited = config.worker.memory_bytes != 0 || config.worker.processes != 0;
  if (place && !(limited && place->agent_is_inside)) {
    return fine("cgroup", "each worker has one of its own, in " + place->root.string());
  }
  const std::string seen = place ? "worker.memory and worker.processes limit each process of a "
                                   "worker, not all together"
                                 : "workers have none of their own: " + place.error().message();
  if (!limited) return skipped("cgroup", seen);
  return warning("cgroup", seen,
                 "Delegate=memory pids and, from systemd 254, DelegateSubgroup=agent in the "
                 "node's service");
}

Finding check_open_files(std::uint64_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= wanted) {
    return fine("open-files", "a process may have " + std::to_string(limit.rlim_max));
  }
  return warning("open-files",
                 "a process may have " + std::to_string(limit.rlim_max) +
                     ", worker.open_files is " + std::to_string(wanted),
                 "raise the hard limit: LimitNOFILE of the service, or limits.conf(5)");
}

Findings check_machine(const node::NodeConfig& config, const std::string& loader) {
  Findings findings = {check_state(config.state.directory),
                       check_disk("disk", config.state.directory),
                       check_disk("cache-disk", config.state.cache)};
  bool runs = false;
  findings.push_back(check_agent(config.state.directory, runs));
  if (!runs) findings.push_back(check_ports(config.listen));
  findings.push_back(check_platforms(vendor_platforms(loader)));
  findings.push_back(check_device_files("/dev"));
  const Findings sandbox = check_sandbox(config);
  findings.insert(findings.end(), sandbox.begin(), sandbox.end());
  findings.push_back(check_cgroup(config));
  findings.push_back(check_open_files(config.worker.open_files));
  return findings;
}

}  // namespace longwire::app
