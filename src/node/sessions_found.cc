// Sessions that outlive their agent: what one agent writes down, and the next finds.
#include <signal.h>

#include <set>

#include "node/sessions_live.h"

namespace longwire::node {

using base::LogLevel;

// False: the session ends with this agent, and its worker is told so. Nobody would know whose it
// is, count it or could revoke it.
bool Sessions::put_on_record(Live& live) {
  if (command_.registry == nullptr) return false;
  random_.fill(std::as_writable_bytes(std::span(live.reclaim)));
  WorkerRecord record;
  record.session = live.welcome.session;
  record.reclaim = live.reclaim;
  record.began_at_ns = live.began_at_ns;
  record.client = live.wanted;
  const auto written = live.worker->put_on_record(std::move(record));
  if (written.ok()) return true;
  journal_.event(
      LogLevel::kError, "session.unrecorded",
      {{"session", session_name(live.welcome.session)}, {"reason", written.error().message()}});
  return false;
}

std::unique_ptr<Sessions::Live> Sessions::live_of(const WorkerRecord& record) {
  auto live = std::make_unique<Live>(io_);
  live->wanted = record.client;
  live->welcome.session = record.session;
  live->welcome.tenant = record.client.tenant;
  live->reclaim = record.reclaim;
  live->began_at_ns = record.began_at_ns;
  live->adopted = true;
  live->audited = true;
  return live;
}

void Sessions::find_again() {
  std::vector<FoundWorker> all;
  if (command_.registry != nullptr) all = command_.registry->find(journal_);
  std::set<std::string> living;
  for (const FoundWorker& found : all) {
    if (found.pidfd.valid()) living.insert(found.entry.name());
  }
  if (command_.cgroups != nullptr) command_.cgroups->end_all_but(living);
  for (FoundWorker& found : all) {
    if (found.pidfd.valid()) {
      take_up(std::move(found));
      continue;
    }
    const auto live = live_of(found.record);
    live->unseen = true;
    live->ended_because = "it has ended while no agent was there; how, and its account, are lost";
    log_end(*live, std::nullopt);
  }
}

void Sessions::take_up(FoundWorker found) {
  std::unique_ptr<Live> live = live_of(found.record);
  const pid_t pid = found.record.process.pid;
  auto worker = reclaim_worker(command_, std::move(found));
  if (!worker) {
    live->ended_because = "its worker cannot be reached: " + worker.error().message();
    return log_end(*live, std::nullopt);
  }
  live->worker = std::make_unique<WorkerProcess>(io_, journal_, *std::move(worker));
  Live& placed = *live;
  sessions_.emplace(placed.welcome.session, std::move(live));
  listen_to(placed);
  journal_.event(LogLevel::kInfo, "session.found",
                 {{"session", session_name(placed.welcome.session)},
                  {"tenant", placed.welcome.tenant},
                  {"peer", placed.wanted.peer},
                  {"program", placed.wanted.program},
                  {"pid", pid},
                  {"sessions", sessions_.size()}});
}

}  // namespace longwire::node
