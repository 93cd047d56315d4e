// longwire_bench_figures: the figures of one OpenCL device as the loader finds it; knows nothing of
// Longwire. Run natively and through the wire by bench/run.py, which sets them side by side.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "figures/device.h"

namespace longwire::bench {
namespace {

const std::vector<std::string> kGroups = {"session",    "build",  "latency",
                                          "throughput", "chains", "transfers"};

struct Options {
  std::vector<std::string> groups;
  std::string platform;
  int server = 0;
  Effort effort;

  bool wants(const std::string& group) const {
    return groups.empty() || std::find(groups.begin(), groups.end(), group) != groups.end();
  }
};

void parse_into(CLI::App& app, Options& options) {
  app.add_option("groups", options.groups, "which figures; none: all")
      ->check(CLI::IsMember(kGroups));
  app.add_option("--platform", options.platform, "part of the OpenCL platform's name")
      ->envname("LONGWIRE_BENCH_PLATFORM");
  app.add_option("--server", options.server, "process whose CPU time counts, with its children")
      ->type_name("PID");
  app.add_option("--only", options.effort.only,
                 "of latency and transfers, figures with this in their name (for perf, strace)");
  add_effort_options(app, options.effort);
}

std::vector<Figure> measure(const Options& options, Device& device) {
  std::vector<Figure> figures;
  const auto group = [&](const char* name) { return Figures(name, options.effort, figures); };
  const auto with = [&](const char* name, auto&& run) {
    if (!options.wants(name)) return;
    Figures out = group(name);
    run(out);
  };
  with("session", [&](Figures& out) { session_figures(options.platform, out); });
  with("build", [&](Figures& out) { build_figures(options.platform, out); });
  device = find_device(options.platform);
  open(device);
  with("latency", [&](Figures& out) { latency_figures(device, out); });
  with("throughput", [&](Figures& out) { throughput_figures(device, options.server, out); });
  with("chains", [&](Figures& out) { chain_figures(device, out); });
  with("transfers", [&](Figures& out) { transfer_figures(device, out); });
  return figures;
}

nlohmann::json json_of(const Figure& figure) {
  return {{"group", figure.group},   {"name", figure.name}, {"unit", figure.unit},
          {"median", figure.median}, {"p99", figure.p99},   {"runs", figure.runs}};
}

}  // namespace
}  // namespace longwire::bench

int main(int argc, char** argv) {
  using namespace longwire::bench;
  CLI::App app("Figures of one OpenCL device, as JSON");
  Options options;
  parse_into(app, options);
  CLI11_PARSE(app, argc, argv);

  Device device;
  nlohmann::json figures = nlohmann::json::array();
  for (const Figure& figure : measure(options, device))
    figures.push_back(json_of(figure));
  const nlohmann::json all = {
      {"platform", device.platform}, {"device", device.name}, {"figures", figures}};
  std::printf("%s\n", all.dump(2).c_str());
  return 0;
}
