// WorkerCgroups: a cgroup (v2) for each worker, where this agent has a sub-tree for them, so that
// all that a worker has started dies at once, and limits hold for all of it together.
//
// The sub-tree is one that has been given away, by the service manager or whoever else does its
// work: it has the extended attribute user.delegate = 1 (Delegate= of systemd). The agent is in a
// group `agent` below it (DelegateSubgroup=agent, systemd 254), or in it itself. In the latter case
// there are no limits: a group whose children have limits may hold no process of its own, so the
// next agent could not be started in it beside workers that have outlived this one. For the same
// reason the agent never moves itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace longwire::node {

// One worker's. The group is removed with this object, unless somebody lives in it: a worker may
// outlive its agent.
class WorkerCgroup {
 public:
  WorkerCgroup() = default;  // none
  WorkerCgroup(std::filesystem::path path, base::UniqueFd processes, base::UniqueFd killer)
      : path_(std::move(path)), processes_(std::move(processes)), killer_(std::move(killer)) {}
  WorkerCgroup(WorkerCgroup&& other) noexcept { *this = std::move(other); }
  WorkerCgroup& operator=(WorkerCgroup&& other) noexcept;
  ~WorkerCgroup();

  const std::filesystem::path& path() const noexcept { return path_; }
  // Whoever writes "0" to this is in it from then on; -1 where there is no group.
  int entrance() const noexcept { return processes_.get(); }
  base::Status take_in(pid_t process) const;
  // All that is in it, with SIGKILL. Nothing where there is no group.
  void kill() const noexcept;

 private:
  std::filesystem::path path_;
  base::UniqueFd processes_;
  base::UniqueFd killer_;
};

struct CgroupPlace {
  std::filesystem::path root;
  bool agent_is_inside = false;  // and not in a group below
};

struct CgroupLimits {
  std::uint64_t memory_bytes = 0;  // 0, here and below: as it is
  std::uint64_t processes = 0;
};

class WorkerCgroups {
 public:
  // Where the groups of that agent's workers are, or would be. kNotFound: nowhere.
  static base::Result<CgroupPlace> find(pid_t agent);
  // kNotFound: not for this user. kUnavailable: another agent has it.
  static base::Result<WorkerCgroups> open(CgroupPlace place, const CgroupLimits& limits);

  // `name` empty: any. Else as it will be asked for by the next agent.
  base::Result<WorkerCgroup> make(const std::string& name) const;
  // An earlier agent's; none where that had none.
  WorkerCgroup take_over(const std::string& name) const;
  // Kills and removes what earlier agents have left, but for these names. Once, before make().
  void end_all_but(const std::set<std::string>& names) const;
  // Those of the limits that are wanted and cannot be had there, and why; empty: all can.
  const std::string& missing() const noexcept { return missing_; }

 private:
  WorkerCgroups(CgroupPlace place, const CgroupLimits& limits, base::UniqueFd lock)
      : place_(std::move(place)), limits_(limits), lock_(std::move(lock)) {}
  void enable_controllers();
  std::filesystem::path path_of(const std::string& name) const;
  void remove_empty() const;

  CgroupPlace place_;
  CgroupLimits limits_;
  base::UniqueFd lock_;  // of the sub-tree's folder; held as long as this agent lives
  std::string missing_;
};

}  // namespace longwire::node
