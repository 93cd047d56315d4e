#include "app/longwire/trace.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <vector>

#include "app/longwire/exit_codes.h"
#include "app/longwire/scratch.h"
#include "app/longwire/trace_events.h"
#include "app/longwire/trace_file.h"
#include "app/longwire/trace_report.h"
#include "client/core/call_recorder.h"

namespace longwire::app {
namespace {

using base::Result;
using base::Status;

inline constexpr const char* kTraceHelp = R"(
Runs PROGRAM as `longwire run` does and says on stderr, once it has ended, what each OpenCL function
has cost: calls, bytes, blocking round trips (a thread waited for the node), time in the call and
time blocked; and what each node has cost in messages, flushes and system calls.

  longwire trace --local=tls -- clinfo -l
  longwire trace --json calls.json -- ./render      for ui.perfetto.dev or chrome://tracing

A process that is ended by a signal or by _exit() leaves no trace. Exit status: as of `longwire
run`.)";

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

void complain(const base::Error& error) {
  std::fprintf(stderr, "longwire trace: %s\n", error.message().c_str());
}

// One process's bad file is no reason to lose the others'.
void read_all(const std::filesystem::path& folder, TraceReader& reader) {
  for (const auto& file : files_in(folder)) {
    if (const Status read = read_trace(file, reader); !read.ok()) complain(read.error());
  }
}

Status tell(const std::filesystem::path& folder, std::optional<TraceEvents>& events) {
  TraceReport report;
  read_all(folder, report);
  if (report.empty()) {
    std::fputs("longwire trace: the program has not used OpenCL, or did not end by itself\n",
               stderr);
  } else {
    std::fputs(report.text().c_str(), stderr);
  }
  if (!events) return {};
  read_all(folder, *events);
  if (report.dropped() > 0) {
    std::fprintf(stderr, "\nThe table has every call; the JSON lacks %llu that --max-calls cut.\n",
                 static_cast<unsigned long long>(report.dropped()));
  }
  return events->finish();
}

Result<int> trace(const TraceFlags& flags) {
  std::optional<TraceEvents> events;
  if (!flags.json.empty()) {
    LW_ASSIGN(events, TraceEvents::create(flags.json));
  }
  LW_ASSIGN(const Scratch scratch, Scratch::make());
  const std::size_t calls = events ? flags.max_calls : 0;
  LW_ASSIGN(const int code,
            run_on_nodes(flags.run, {{"LONGWIRE_TRACE_FILE", (scratch.path() / "trace").string()},
                                     {"LONGWIRE_TRACE_CALLS", std::to_string(calls)}}));
  LW_TRY(tell(scratch.path(), events));
  return code;
}

}  // namespace

void add_trace_command(CLI::App& cli, TraceFlags& flags) {
  CLI::App* trace = cli.add_subcommand("trace", "Run a program and show what its calls cost");
  trace->footer(kTraceHelp);
  trace->add_option("--json", flags.json, "Write every call as trace events, for Perfetto")
      ->type_name("FILE");
  trace
      ->add_option("--max-calls", flags.max_calls,
                   "How many calls of each process the JSON may have")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, client::core::kMaxRecordedCalls))
      ->capture_default_str();
  add_run_options(*trace, flags.run);
}

int trace_main(const TraceFlags& flags) {
  auto code = trace(flags);
  if (code) return *code;
  complain(code.error());
  return kRunFailed;
}

}  // namespace longwire::app
