#include "app/worker_main/sandbox.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "app/landlock.h"
#include "app/worker_main/syscalls.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::uint64_t kNewNamespaces = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET |
                                         CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS;

// What vendor drivers, the loader and ld read. Of /proc only this process, and what is the same for
// all; of /etc nothing that has secrets.
constexpr const char* kReadablePlaces[] = {"/usr",
                                           "/lib",
                                           "/lib64",
                                           "/bin",
                                           "/opt",
                                           "/sys",
                                           "/etc/OpenCL",
                                           "/etc/alternatives",
                                           "/etc/debian_version",
                                           "/etc/ld.so.cache",
                                           "/etc/ld.so.conf",
                                           "/etc/ld.so.conf.d",
                                           "/etc/localtime",
                                           "/etc/lsb-release",
                                           "/etc/nvidia",
                                           "/etc/os-release",
                                           "/etc/passwd",
                                           "/etc/vulkan",
                                           "/proc/bus",
                                           "/proc/cpuinfo",
                                           "/proc/devices",
                                           "/proc/driver",
                                           "/proc/filesystems",
                                           "/proc/meminfo",
                                           "/proc/modules",
                                           "/proc/self",
                                           "/proc/stat",
                                           "/proc/sys",
                                           "/proc/version"};

struct FreeFilter {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FreeFilter>;

Status checked(int result, std::string_view what) {
  if (result == 0) return {};
  return Error::from_errno(ErrorCode::kInternal, std::string("seccomp: ") + std::string(what),
                           -result);
}

Status allow_families(scmp_filter_ctx filter) {
  for (const char* name : kAllowedCalls) {
    const int call = ::seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR || call < 0) continue;  // not of this architecture
    LW_TRY(checked(::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0), name));
  }
  return {};
}

// Allows a call where its first argument compares so.
Status allow_if(scmp_filter_ctx filter, const char* name, scmp_compare how, scmp_datum_t a,
                scmp_datum_t b = 0) {
  const scmp_arg_cmp condition{0, how, a, b};
  const int call = ::seccomp_syscall_resolve_name(name);
  return checked(::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition), name);
}

// Calls whose arguments decide.
Status allow_with_conditions(scmp_filter_ctx filter) {
  const auto self = static_cast<scmp_datum_t>(::getpid());
  LW_TRY(allow_if(filter, "clone", SCMP_CMP_MASKED_EQ, kNewNamespaces, 0));
  LW_TRY(allow_if(filter, "socketpair", SCMP_CMP_EQ, AF_UNIX));
  LW_TRY(allow_if(filter, "kill", SCMP_CMP_EQ, self));
  LW_TRY(allow_if(filter, "tgkill", SCMP_CMP_EQ, self));
  return allow_if(filter, "prlimit64", SCMP_CMP_EQ, 0);
}

// clone3 keeps its flags in memory, where no filter sees them: libc shall use clone.
Status refuse_by_name(scmp_filter_ctx filter, std::uint32_t otherwise) {
  if (otherwise == SCMP_ACT_LOG) return {};
  return checked(::seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
}

Status restrict_calls(Confinement strictness) {
  const std::uint32_t otherwise =
      strictness == Confinement::kLog ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM);
  const Filter filter(::seccomp_init(otherwise));
  if (!filter) return Error(ErrorCode::kInternal, "seccomp: no memory");
  LW_TRY(allow_families(filter.get()));
  LW_TRY(allow_with_conditions(filter.get()));
  LW_TRY(refuse_by_name(filter.get(), otherwise));
  LW_TRY(checked(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize"));
  return checked(::seccomp_load(filter.get()), "load");
}

// The folders of a colon-separated variable, where an operator keeps drivers in odd places.
void add_places_of(const char* variable, std::vector<fs::path>& places) {
  const char* value = std::getenv(variable);
  std::string_view rest = value == nullptr ? "" : value;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (rest.front() == '/') places.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

FileAccess files_of(const Walls& walls) {
  FileAccess access;
  access.read_and_execute.assign(std::begin(kReadablePlaces), std::end(kReadablePlaces));
  for (const char* variable :
       {"LD_LIBRARY_PATH", "OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH", "OCL_ICD_FILENAMES"}) {
    add_places_of(variable, access.read_and_execute);
  }
  access.use = {"/dev"};
  access.own = {walls.cache};
  return access;
}

}  // namespace

Status confine(const Walls& walls, base::Logger& logger) {
  if (walls.strictness == Confinement::kOff) {
    logger.warning("the sandbox is off");
    return {};
  }
  // Landlock has no mode that only tells.
  if (walls.strictness == Confinement::kEnforce && landlock_version() > 0) {
    LW_TRY(restrict_files(files_of(walls)));
  }
  return restrict_calls(walls.strictness);
}

}  // namespace longwire::app
