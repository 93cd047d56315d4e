#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "node/worker_process.h"

namespace longwire::node {
namespace {

using base::Error;
using base::ErrorCode;

base::Result<SpawnedWorker> take_up(const WorkerCommand& command, FoundWorker& found,
                                    WorkerCgroup& cgroup) {
  std::array<int, 2> pipe_fds{};
  if (::pipe2(pipe_fds.data(), O_CLOEXEC) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "pipe", errno);
  }
  SpawnedWorker worker;
  worker.output.reset(pipe_fds[0]);
  const base::UniqueFd its_output(pipe_fds[1]);
  LW_ASSIGN(worker.control, found.entry.knock());
  LW_TRY(session::send_handover(worker.control.get(), session::Reclaim{found.record.reclaim},
                                its_output.get()));
  if (!found.record.folder.empty() && command.folders != nullptr) {
    LW_ASSIGN(worker.folder, command.folders->take_over(found.record.folder));
  }
  worker.pid = found.record.process.pid;
  worker.found = found.record.process;
  worker.pidfd = std::move(found.pidfd);
  worker.entry = std::move(found.entry);
  worker.cgroup = std::move(cgroup);
  return worker;
}

}  // namespace

base::Result<SpawnedWorker> reclaim_worker(const WorkerCommand& command, FoundWorker found) {
  WorkerCgroup cgroup;
  if (command.cgroups != nullptr) cgroup = command.cgroups->take_over(found.entry.name());
  auto worker = take_up(command, found, cgroup);
  if (worker) return worker;
  cgroup.kill();
  signal_group(found.record.process, found.pidfd.get(), SIGKILL);
  return worker;
}

}  // namespace longwire::node
