// `longwire trace`: runs a program as `longwire run` does, and says what its calls cost.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

#include "app/longwire/run.h"

namespace longwire::app {

inline constexpr std::size_t kDefaultTracedCalls = 1'000'000;

struct TraceFlags {
  RunFlags run;
  std::filesystem::path json;
  std::size_t max_calls = kDefaultTracedCalls;
};

void add_trace_command(CLI::App& cli, TraceFlags& flags);
int trace_main(const TraceFlags& flags);

}  // namespace longwire::app
