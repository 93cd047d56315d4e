// WorkerRegistry: the workers of one node, in its state directory, so that sessions outlive their
// agent. Each worker has a *door* there, a listening unix socket that it inherits and that only
// this node's user can come to, and from the beginning of its session on a record
// (worker_record.h). A new agent reads the records, makes sure that the processes are those, and
// knocks at the doors.
//
// One agent at a time holds it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "node/journal.h"
#include "node/worker_record.h"

namespace longwire::node {

class WorkerRegistry;

inline constexpr std::size_t kMaxRegisteredWorkers = 4096;  // that a new agent looks at
inline constexpr int kDoorBacklog = 8;

// One worker's files. They go with this object, unless it leaves them to the next agent.
class WorkerEntry {
 public:
  WorkerEntry() = default;
  WorkerEntry(WorkerEntry&& other) noexcept;
  WorkerEntry& operator=(WorkerEntry&& other) noexcept;
  ~WorkerEntry();

  bool valid() const noexcept { return registry_ != nullptr; }
  const std::string& name() const noexcept { return name_; }  // the same for the next agent
  base::Status write(const WorkerRecord& record) const;
  // A connection to whoever holds the door. kClosed: nobody does.
  base::Result<base::UniqueFd> knock() const;
  void leave() noexcept { registry_ = nullptr; }

 private:
  friend class WorkerRegistry;
  WorkerEntry(const WorkerRegistry* registry, std::string name)
      : registry_(registry), name_(std::move(name)) {}

  const WorkerRegistry* registry_ = nullptr;
  std::string name_;
};

// What an earlier agent has left.
struct FoundWorker {
  WorkerRecord record;
  WorkerEntry entry;
  base::UniqueFd pidfd;  // not valid: it has ended meanwhile
};

class WorkerRegistry {
 public:
  // kUnavailable: another agent uses this state directory.
  static base::Result<WorkerRegistry> open(const std::filesystem::path& state_directory);

  struct NewEntry {
    WorkerEntry entry;
    base::UniqueFd door;  // listening; the worker's
  };
  // The registry stays where it is from now on, and outlives the entry.
  base::Result<NewEntry> make() const;
  // Everything with a record that makes sense; all else that lies there is removed, and the journal
  // is told of it. Workers whose record is of another version are killed. Once, before make().
  std::vector<FoundWorker> find(Journal& journal) const;

 private:
  friend class WorkerEntry;
  WorkerRegistry(std::filesystem::path directory, base::UniqueFd lock)
      : directory_(std::move(directory)), lock_(std::move(lock)) {}
  std::filesystem::path record_of(const std::string& name) const;
  std::filesystem::path door_of(const std::string& name) const;
  std::filesystem::path reachable_door_of(const std::string& name) const;
  base::Result<FoundWorker> read(const std::string& name) const;

  std::filesystem::path directory_;
  base::UniqueFd lock_;  // of the directory; held as long as this agent lives
};

}  // namespace longwire::node
