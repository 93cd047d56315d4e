// Fuzzes what `longwire` reads of others: a node's answer to `top`, a trace file, an audit log, and
// what a child process says that has loaded other people's drivers.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "app/longwire/audit_view.h"
#include "app/longwire/device_list.h"
#include "app/longwire/loader_view.h"
#include "app/longwire/top_view.h"
#include "app/longwire/trace_events.h"
#include "app/longwire/trace_file.h"
#include "app/longwire/trace_report.h"
#include "fuzz/target.h"

namespace fuzz = longwire::fuzz;
namespace app = longwire::app;

namespace {

enum Target : std::uint8_t { kTop, kTrace, kAudit, kLoader, kDevices, kTargets };

void read_top(const std::string& text) {
  const auto node = app::parse_top(text);
  if (!node.ok()) return;
  const std::string shown = top_text(*node, {});
  if (shown.empty() || top_json(*node, {}).empty()) std::abort();
  // Nobody's name moves the cursor.
  if (shown.find('\033') != std::string::npos || shown.find("\xc2\x9b") != std::string::npos)
    std::abort();
}

void read_trace(std::string_view text) {
  const int file = ::memfd_create("trace", MFD_CLOEXEC);
  if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    std::abort();
  }
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  app::TraceReport report;
  (void)app::read_trace(path, report);
  if (!report.empty()) (void)report.text();
  auto events = app::TraceEvents::create("/dev/null");
  if (!events.ok()) std::abort();
  (void)app::read_trace(path, *events);
  (void)events->finish();
  ::close(file);
}

void read_audit(const std::string& text) {
  for (const bool json : {false, true}) {
    std::istringstream log(text);
    std::uint64_t unreadable = 0;
    const std::string shown = app::show_audit(log, {"2026", "", json}, unreadable);
    for (const char c : shown) {
      if ((c < 0x20 && c != '\n') || c == 0x7f) std::abort();  // c < 0: only ASCII is shown
    }
  }
}

}  // namespace

std::vector<fuzz::Seed> fuzz::seeds() {
  const std::string top =
      R"({"event":"node","node":"box","software":"longwire 0","unix":"/run/s","uptime_ms":7380000,)"
      R"("sessions":1,"max_sessions":64,"ended_sessions":17})"
      "\n"
      R"({"event":"session","session":"00ff","tenant":"alice","peer":"10.0.0.2:5 on laptop",)"
      R"("program":"ren\u001b[2Jder","encrypted":1,"pid":4711,"age_ms":61000,"bytes_in":2048,)"
      R"("bytes_in_per_s":1024,"commands_per_s":12345,"device_ms_per_s":250,"resident_bytes":1})"
      "\n";
  const std::string trace =
      R"({"longwire_trace":)" + std::to_string(longwire::client::core::kTraceFormat) +
      R"(,"program":"a","process":1,"dropped":0})"
      "\n"
      R"({"node":"box","setup_round_trips":3,"round_trips":4,"messages_sent":5,"bytes_in":6})"
      "\n"
      R"({"thread":1,"name":"main"})"
      "\n"
      R"({"function":"clFinish","calls":2,"took_ns":50,"longest_ns":30,"round_trips":2})"
      "\n"
      R"({"call":"clFinish","thread":1,"began_ns":1000,"took_ns":20,"sent":40})"
      "\n"
      R"({"command":4592,"node_index":0,"queue":7,"began_ns":1,"took_ns":2})"
      "\n";
  const std::string audit =
      R"({"time":"2026-11-20T10:00:00.000Z","event":"session.end","tenant":"lab","bytes_in":7})"
      "\n";
  const std::string loader =
      R"({"platforms":[{"name":"Longwire","version":"OpenCL 3.0","devices":1}],)"
      R"("drivers":["/usr/lib/liblongwire_opencl.so"]})";
  const std::string devices =
      R"([{"name":"cpu","type":"CPU","vendor":"v","memory_bytes":1024,"units":2}])";
  return {{"top", selected(kTop, bytes_of(top))},
          {"trace", selected(kTrace, bytes_of(trace))},
          {"audit", selected(kAudit, bytes_of(audit))},
          {"loader", selected(kLoader, bytes_of(loader))},
          {"no_loader", selected(kLoader, bytes_of(R"({"error":"no such file"})"))},
          {"devices", selected(kDevices, bytes_of(devices))}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % kTargets) {
    case kTop:
      read_top(text);
      break;
    case kTrace:
      read_trace(text);
      break;
    case kAudit:
      read_audit(text);
      break;
    case kLoader:
      (void)app::parse_loader_view(text);
      break;
    default:
      (void)app::parse_device_list(text);
  }
  return 0;
}
