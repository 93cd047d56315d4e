#include "node/worker_folders.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace longwire::node {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;

constexpr const char* kAgentPrefix = "agent-";
constexpr mode_t kPassThrough = 0711;  // workers may be other users

Error cannot(const fs::path& path) {
  return Error::from_errno(ErrorCode::kPermissionDenied, "cannot make " + path.string(), errno);
}

base::UniqueFd locked(const fs::path& folder) {
  base::UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid() && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd.reset();
  return fd;
}

base::Result<fs::path> make_below(const fs::path& folder, const std::string& prefix) {
  std::string name = (folder / (prefix + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) return cannot(folder);
  return fs::path(name);
}

// An agent's folder, but for what is of workers that live: each holds the lock of its own.
void remove_agent_folder(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    std::error_code ignored;
    if (locked(i->path()).valid()) fs::remove_all(i->path(), ignored);
  }
  ::rmdir(folder.c_str());
}

// Of agents that live no more: nobody holds their lock.
void remove_leftovers(const fs::path& root) {
  std::error_code error;
  for (fs::directory_iterator i(root, error), end; !error && i != end; i.increment(error)) {
    if (!i->path().filename().string().starts_with(kAgentPrefix)) continue;
    if (locked(i->path()).valid()) remove_agent_folder(i->path());
  }
}

}  // namespace

WorkerFolder::~WorkerFolder() {
  if (path_.empty()) return;
  const pid_t child = ::fork();
  if (child < 0) return;  // the next agent removes it
  if (child > 0) {
    ::waitpid(child, nullptr, 0);
    return;
  }
  // A grandchild, so that nobody waits; without what the agent listens on.
  ::syscall(SYS_close_range, 0, ~0u, 0);
  std::error_code ignored;
  if (::fork() == 0) fs::remove_all(path_, ignored);
  ::_exit(0);
}

base::Result<WorkerFolders> WorkerFolders::open(const fs::path& root) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error) return Error(ErrorCode::kPermissionDenied, "cannot make " + root.string());
  // One agent at a time, or a new folder could be taken for a leftover before it has its lock.
  const base::UniqueFd turn(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!turn.valid() || ::flock(turn.get(), LOCK_EX) != 0) return cannot(root);
  remove_leftovers(root);
  LW_ASSIGN(fs::path own, make_below(root, kAgentPrefix));
  base::UniqueFd lock = locked(own);
  if (!lock.valid() || ::chmod(root.c_str(), kPassThrough) != 0 ||
      ::chmod(own.c_str(), kPassThrough) != 0) {
    return cannot(own);
  }
  return WorkerFolders(std::move(own), std::move(lock));
}

WorkerFolders::~WorkerFolders() {
  if (!lock_.valid()) return;
  remove_agent_folder(own_);
  // A spare worker of an agent that was killed may still have been there when this one began.
  const fs::path root = own_.parent_path();
  const base::UniqueFd turn = locked(root);
  if (turn.valid()) remove_leftovers(root);
}

base::Result<WorkerFolder> WorkerFolders::make() const {
  LW_ASSIGN(fs::path path, make_below(own_, ""));
  return WorkerFolder(std::move(path));
}

base::Result<WorkerFolder> WorkerFolders::take_over(const fs::path& path) const {
  const fs::path agent = path.parent_path();
  const std::string name = path.filename().string();
  const bool ours = agent.parent_path() == own_.parent_path() &&
                    agent.filename().string().starts_with(kAgentPrefix) && !name.empty() &&
                    name != "." && name != ".." && !fs::is_symlink(fs::symlink_status(agent));
  if (ours) return WorkerFolder(path);
  return Error(ErrorCode::kInvalidArgument, path.string() + " is no worker's folder");
}

}  // namespace longwire::node
