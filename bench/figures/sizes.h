// What transfers are measured with, and how long, by the OpenCL figures and by the raw socket: both
// must do the same.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <string>

namespace longwire::bench {

struct Size {
  std::size_t bytes;
  const char* name;
};
inline constexpr Size kSizes[] = {
    {std::size_t{4} << 10, "4 KiB"},   {std::size_t{64} << 10, "64 KiB"},
    {std::size_t{1} << 20, "1 MiB"},   {std::size_t{16} << 20, "16 MiB"},
    {std::size_t{64} << 20, "64 MiB"}, {std::size_t{256} << 20, "256 MiB"},
};

// How many transfers of this size are under way together when they are pipelined.
inline std::size_t in_flight(std::size_t bytes) {
  constexpr std::size_t kTogetherBytes = std::size_t{64} << 20;
  return std::clamp<std::size_t>(kTogetherBytes / bytes, 2, 16);
}

// How much time a figure may take: runs until `seconds` are over, but at least `least_runs`.
struct Effort {
  double seconds = 0.5;
  double least_runs = 5;
  std::size_t largest_bytes = std::size_t{256} << 20;
  bool smoke = false;  // only whether it works
  std::string only;    // part of the name of the figures that are timed; empty: all
};

inline void add_effort_options(CLI::App& app, Effort& effort) {
  app.add_option("--seconds", effort.seconds, "that one figure may take")->capture_default_str();
  app.add_option("--least-runs", effort.least_runs, "of one figure, however long they take")
      ->capture_default_str();
  app.add_option_function<std::size_t>(
      "--largest-mib", [&effort](std::size_t mib) { effort.largest_bytes = mib << 20; },
      "largest transfer, in MiB (256)");
  app.add_flag_callback(
      "--smoke",
      [&effort] {
        effort.seconds = 0;
        effort.least_runs = 2;
        effort.largest_bytes = 1 << 20;
        effort.smoke = true;
      },
      "a few runs, only to see that it works");
}

}  // namespace longwire::bench
