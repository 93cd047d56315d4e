// WorkerFolders: a folder for each worker's temporary files, which goes with all that is in it when
// the worker has ended, however it ended. They lie in a folder of this agent's; what an agent that
// was killed has left, the next one removes, when it begins and when it ends, but for folders whose
// worker lives: it holds a lock.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "base/unique_fd.h"

namespace longwire::node {

// Owns one folder, and removes it in a process of its own: a worker may have left a great many
// files, and the agent has others to serve.
class WorkerFolder {
 public:
  WorkerFolder() = default;
  explicit WorkerFolder(std::filesystem::path path) : path_(std::move(path)) {}
  WorkerFolder(WorkerFolder&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  WorkerFolder& operator=(WorkerFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~WorkerFolder();
  const std::filesystem::path& path() const noexcept { return path_; }
  void leave() noexcept { path_.clear(); }  // to whoever goes on with it

 private:
  std::filesystem::path path_;
};

class WorkerFolders {
 public:
  // Makes this agent's folder below `root`, which may be shared with other agents of this user.
  static base::Result<WorkerFolders> open(const std::filesystem::path& root);
  WorkerFolders(WorkerFolders&&) = default;
  WorkerFolders& operator=(WorkerFolders&&) = default;
  ~WorkerFolders();

  base::Result<WorkerFolder> make() const;
  // A folder that an earlier agent has made. kInvalidArgument: it is none.
  base::Result<WorkerFolder> take_over(const std::filesystem::path& path) const;

 private:
  WorkerFolders(std::filesystem::path own, base::UniqueFd lock)
      : own_(std::move(own)), lock_(std::move(lock)) {}

  std::filesystem::path own_;
  base::UniqueFd lock_;  // while it is held, the folder belongs to a living agent
};

}  // namespace longwire::node
