#include "app/worker_main/sandbox.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "app/landlock.h"
#include "app/worker_main/places.h"
#include "app/worker_main/syscall_filter.h"
#include "app/worker_main/user.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;
using base::Status;

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

// Devices that compute, and those that everybody has. Others, an operator names (worker.devices).
constexpr const char* kDevices[] = {"/dev/null",    "/dev/zero",  "/dev/full", "/dev/random",
                                    "/dev/urandom", "/dev/accel", "/dev/dri",  "/dev/dxg",
                                    "/dev/kfd",     "/dev/mali0"};
constexpr std::string_view kNvidiaDevices = "nvidia";  // /dev/nvidia0, nvidiactl, nvidia-uvm, …
constexpr std::size_t kMaxDevices = 4096;              // that /dev is searched for those

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

void add_nvidia_devices(std::vector<fs::path>& devices) {
  std::error_code error;
  std::size_t seen = 0;
  for (fs::directory_iterator i("/dev", error), end; !error && i != end; i.increment(error)) {
    if (++seen > kMaxDevices) return;
    if (i->path().filename().string().starts_with(kNvidiaDevices)) devices.push_back(i->path());
  }
}

FileAccess files_of(const Cage& cage, const fs::path& place) {
  FileAccess access;
  access.read_and_execute.assign(std::begin(kReadablePlaces), std::end(kReadablePlaces));
  for (const char* variable :
       {"LD_LIBRARY_PATH", "OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH", "OCL_ICD_FILENAMES"}) {
    add_places_of(variable, access.read_and_execute);
  }
  access.use.assign(std::begin(kDevices), std::end(kDevices));
  add_nvidia_devices(access.use);
  access.use.insert(access.use.end(), cage.devices.begin(), cage.devices.end());
  access.own = {place};
  if (!cage.temporary.empty()) access.own.push_back(cage.temporary);
  return access;
}

}  // namespace

base::Result<fs::path> enter_cage(const Cage& cage, const std::string& tenant,
                                  base::Logger& logger) {
  LW_ASSIGN(const TenantPlace place, make_place_of(tenant, cage));
  // Whom a tenant's worker runs as, also without the walls.
  LW_TRY(become_user(place.user));
  LW_TRY(enter_place(place.path, cage.temporary));
  if (cage.strictness == Confinement::kOff) {
    logger.warning("the sandbox is off");
    return place.path;
  }
  // Landlock has no mode that only tells.
  if (cage.strictness == Confinement::kEnforce && landlock_version() > 0) {
    LW_TRY(restrict_files(files_of(cage, place.path)));
  }
  LW_TRY(restrict_calls(cage.strictness));
  return place.path;
}

}  // namespace longwire::app
