// What is told of sessions: to the journal, the audit log and `longwire top`.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "node/sessions_live.h"

namespace longwire::node {

using base::ErrorCode;
using base::LogLevel;

namespace {

std::uint64_t rate(std::uint64_t now, std::uint64_t before, base::Nanoseconds within_ns) {
  if (within_ns <= 0 || now < before) return 0;
  return static_cast<std::uint64_t>(static_cast<double>(now - before) * base::kSecond /
                                    static_cast<double>(within_ns));
}

session::Stats rates(const session::Stats& now, const session::Stats& before,
                     base::Nanoseconds within_ns) {
  return {rate(now.bytes_in, before.bytes_in, within_ns),
          rate(now.bytes_out, before.bytes_out, within_ns),
          rate(now.commands, before.commands, within_ns),
          rate(now.device_ns, before.device_ns, within_ns)};
}

// 0 where the process has just gone.
std::uint64_t resident_bytes(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  std::uint64_t all_pages = 0;
  std::uint64_t resident_pages = 0;
  file >> all_pages >> resident_pages;
  return file ? resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

void Sessions::log_start(const Live& live) {
  journal_.event(LogLevel::kInfo, "session.start",
                 {{"session", session_name(live.welcome.session)},
                  {"tenant", live.welcome.tenant},
                  {"peer", live.wanted.peer},
                  {"program", live.wanted.program},
                  {"encrypted", live.wanted.encrypted ? "yes" : "no"},
                  {"pid", live.worker->pid()},
                  {"sessions", sessions_.size()}});
}

void Sessions::log_end(const Live& live, WaitStatus status) {
  const bool in_order =
      live.ended && (!status || (WIFEXITED(*status) && WEXITSTATUS(*status) == 0));
  const std::string reason = !live.ended_because.empty() ? live.ended_because
                             : in_order                  ? live.ended->reason
                                                         : describe_exit(status);
  // A program that just exits leaves a lost link behind: nothing to warn of.
  const bool well = in_order && (live.ended->code == ErrorCode::kClosed ||
                                 live.ended->code == ErrorCode::kLinkLost);
  const auto outcome = [&]() -> std::string_view {
    if (live.unseen) return "unknown";
    if (!live.ended_because.empty()) return live.ended_as;
    if (in_order) return base::name_of(live.ended->code);
    return status && WIFSIGNALED(*status) ? "crashed" : "failed";
  };
  const auto tell = [&](std::initializer_list<Field> fields) {
    journal_.event(well ? LogLevel::kInfo : LogLevel::kWarning, "session.end", fields);
    if (live.audited) audit_.write("session.end", fields);
  };
  tell({{"session", session_name(live.welcome.session)},
        {"tenant", live.welcome.tenant},
        {"client", live.wanted.client},
        {"key", live.wanted.key},
        {"peer", live.wanted.peer},
        {"outcome", outcome()},
        {"reason", reason},
        {"duration_ms",
         std::max<base::Nanoseconds>(clock_.now_ns() - live.began_at_ns, 0) / base::kMillisecond},
        {"bytes_in", live.stats.bytes_in},
        {"bytes_out", live.stats.bytes_out},
        {"commands", live.stats.commands},
        {"device_ms", live.stats.device_ns / 1'000'000}});
}

// --- what others ask -----------------------------------------------------------------------------

NodeReport Sessions::report() const {
  NodeReport report;
  for (const auto& [id, live] : sessions_) {
    if (live->adopted) report.sessions.push_back(report_of(*live));
  }
  std::sort(report.sessions.begin(), report.sessions.end(),
            [](const auto& a, const auto& b) { return a.age_ns > b.age_ns; });
  report.ended = ended_;
  report.of_ended = of_ended_;
  report.spares = spares_.size();
  return report;
}

SessionReport Sessions::report_of(const Live& live) const {
  SessionReport report;
  report.session = session_name(live.welcome.session);
  report.tenant = live.welcome.tenant;
  report.peer = live.wanted.peer;
  report.program = live.wanted.program;
  report.encrypted = live.wanted.encrypted;
  report.worker = live.worker->pid();
  report.age_ns = clock_.now_ns() - live.began_at_ns;
  report.total = live.stats;
  // A worker's first account is measured against its beginning.
  const base::Nanoseconds since_ns =
      live.stats_before_at_ns != 0 ? live.stats_before_at_ns : live.began_at_ns;
  report.per_second = rates(live.stats, live.stats_before, live.stats_at_ns - since_ns);
  report.resident_bytes = resident_bytes(report.worker);
  return report;
}

}  // namespace longwire::node
