#include "node/worker_cgroup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace longwire::node {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::string_view kPrefix = "worker-";
constexpr std::string_view kAgentGroup = "agent";
constexpr const char* kDelegated = "user.delegate";
// What has been killed takes a moment to go, longer where it waits for a device.
constexpr int kRemovalTries = 100;
constexpr useconds_t kRemovalPauseUs = 10'000;

base::UniqueFd opened_to_write(const fs::path& file) {
  return base::UniqueFd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
}

Status put(const fs::path& file, std::string_view value) {
  const base::UniqueFd fd = opened_to_write(file);
  if (fd.valid() &&
      ::write(fd.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size())) {
    return {};
  }
  return Error::from_errno(ErrorCode::kPermissionDenied, "write " + file.string(), errno);
}

bool has_word(const fs::path& file, std::string_view wanted) {
  std::ifstream words(file);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

// Of cgroup v2, as a whole; empty where it is not mounted here.
fs::path mount_point() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream words(line);
    std::string number, parent, device, root, place;
    if (words >> number >> parent >> device >> root >> place && root == "/") return place;
  }
  return {};
}

// Below the mount point; empty where there is none that can be seen from here.
fs::path group_of(pid_t process) {
  std::ifstream groups("/proc/" + std::to_string(process) + "/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.starts_with("0::/") && line.find("/..") == std::string::npos) return line.substr(4);
  }
  return {};
}

bool is_delegated(const fs::path& group) {
  char value = 0;
  return ::getxattr(group.c_str(), kDelegated, &value, sizeof value) == 1 && value == '1';
}

std::vector<fs::path> groups_in(const fs::path& root) {
  std::vector<fs::path> groups;
  std::error_code error;
  for (fs::directory_iterator i(root, error), end; !error && i != end; i.increment(error)) {
    if (i->path().filename().string().starts_with(kPrefix)) groups.push_back(i->path());
  }
  return groups;
}

}  // namespace

// --- one worker's --------------------------------------------------------------------------------

WorkerCgroup& WorkerCgroup::operator=(WorkerCgroup&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(processes_, other.processes_);
  std::swap(killer_, other.killer_);
  return *this;
}

WorkerCgroup::~WorkerCgroup() {
  // While somebody lives in it the kernel refuses; the next make() or agent tries again.
  if (!path_.empty()) ::rmdir(path_.c_str());
}

Status WorkerCgroup::take_in(pid_t process) const {
  if (!processes_.valid()) return {};
  const std::string text = std::to_string(process);
  if (::write(processes_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ||
      errno == ESRCH) {  // it has ended already, and says why
    return {};
  }
  return Error::from_errno(ErrorCode::kPermissionDenied, "move a worker to " + path_.string(),
                           errno);
}

void WorkerCgroup::kill() const noexcept {
  if (!killer_.valid()) return;  // before Linux 5.14
  [[maybe_unused]] const ssize_t ignored = ::write(killer_.get(), "1", 1);
}

// --- all of them ---------------------------------------------------------------------------------

base::Result<CgroupPlace> WorkerCgroups::find(pid_t agent) {
  const fs::path mount = mount_point();
  const fs::path group = group_of(agent);
  if (!mount.empty() && !group.empty()) {
    const fs::path own = mount / group;
    if (own.filename() == kAgentGroup && is_delegated(own.parent_path())) {
      return CgroupPlace{own.parent_path(), false};
    }
    if (is_delegated(own)) return CgroupPlace{own, true};
  }
  return Error(ErrorCode::kNotFound,
               mount.empty() ? "cgroup v2 is not mounted here"
                             : "no cgroup was delegated to this node (Delegate= of its service)");
}

base::Result<WorkerCgroups> WorkerCgroups::open(CgroupPlace place, const CgroupLimits& limits) {
  base::UniqueFd lock(::open(place.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const fs::path processes = place.root / "cgroup.procs";
  if (!lock.valid() || ::access(place.root.c_str(), W_OK) != 0 ||
      ::access(processes.c_str(), W_OK) != 0) {
    return Error::from_errno(ErrorCode::kNotFound, place.root.string(), errno);
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(ErrorCode::kUnavailable, "another node uses " + place.root.string());
  }
  WorkerCgroups groups(std::move(place), limits, std::move(lock));
  groups.enable_controllers();
  return groups;
}

void WorkerCgroups::enable_controllers() {
  const fs::path control = place_.root / "cgroup.subtree_control";
  const auto need = [&](const char* controller, const char* setting, std::uint64_t limit) {
    if (limit == 0) return;
    if (!place_.agent_is_inside) (void)put(control, std::string("+") + controller);
    if (has_word(control, controller)) return;  // what that has done is read back
    missing_ += (missing_.empty() ? "" : " and ") + std::string(setting);
  };
  need("memory", "worker.memory", limits_.memory_bytes);
  need("pids", "worker.processes", limits_.processes);
  if (missing_.empty()) return;
  missing_ += place_.agent_is_inside ? ", for want of DelegateSubgroup=agent (systemd 254)"
                                     : ", for want of their controllers (Delegate=memory pids)";
}

fs::path WorkerCgroups::path_of(const std::string& name) const {
  return place_.root / (std::string(kPrefix) + name);
}

void WorkerCgroups::remove_empty() const {
  for (const fs::path& group : groups_in(place_.root))
    ::rmdir(group.c_str());
}

base::Result<WorkerCgroup> WorkerCgroups::make(const std::string& name) const {
  remove_empty();
  const fs::path path = path_of(name.empty() ? std::to_string(base::SystemRandom().u64()) : name);
  if (::mkdir(path.c_str(), 0755) != 0) {
    return Error::from_errno(ErrorCode::kUnavailable, "make " + path.string(), errno);
  }
  WorkerCgroup group(path, opened_to_write(path / "cgroup.procs"),
                     opened_to_write(path / "cgroup.kill"));
  if (group.entrance() < 0) {
    return Error::from_errno(ErrorCode::kPermissionDenied, "open " + path.string(), errno);
  }
  const auto limit = [&](const char* file, std::uint64_t value) -> Status {
    if (value == 0 || ::access((path / file).c_str(), F_OK) != 0) return {};
    return put(path / file, std::to_string(value));
  };
  LW_TRY(limit("memory.max", limits_.memory_bytes));
  LW_TRY(limit("memory.oom.group", limits_.memory_bytes == 0 ? 0 : 1));  // all of it, or none
  LW_TRY(limit("pids.max", limits_.processes));
  return group;
}

WorkerCgroup WorkerCgroups::take_over(const std::string& name) const {
  const fs::path path = path_of(name);
  base::UniqueFd processes = opened_to_write(path / "cgroup.procs");
  if (!processes.valid()) return {};
  return WorkerCgroup(path, std::move(processes), opened_to_write(path / "cgroup.kill"));
}

void WorkerCgroups::end_all_but(const std::set<std::string>& names) const {
  std::vector<fs::path> old;
  for (const fs::path& group : groups_in(place_.root)) {
    if (names.contains(group.filename().string().substr(kPrefix.size()))) continue;
    (void)put(group / "cgroup.kill", "1");
    old.push_back(group);
  }
  for (int i = 0; i < kRemovalTries && !old.empty(); ++i) {
    std::erase_if(
        old, [](const fs::path& group) { return ::rmdir(group.c_str()) == 0 || errno == ENOENT; });
    if (!old.empty()) ::usleep(kRemovalPauseUs);
  }
}

}  // namespace longwire::node
