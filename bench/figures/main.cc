// longwire_bench_figures: the figures of one OpenCL device as the loader finds it. Run natively and
// through the wire by tools/bench.py, which sets them side by side.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "device.h"

namespace {

void print_json(const longwire::bench::Device& device,
                const std::vector<longwire::bench::Figure>& figures) {
  nlohmann::json all = {{"device", device.name}, {"figures", nlohmann::json::array()}};
  for (const auto& figure : figures)
    all["figures"].push_back({{"name", figure.name},
                              {"unit", figure.unit},
                              {"median", figure.median},
                              {"p99", figure.p99}});
  std::printf("%s\n", all.dump(2).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Figures of the first OpenCL device, as JSON");
  std::vector<std::string> groups;
  std::size_t largest_mib = 256;
  app.add_option("groups", groups, "latency, throughput, transfer; none: all")
      ->check(CLI::IsMember({"latency", "throughput", "transfer"}));
  app.add_option("--largest-mib", largest_mib, "largest transfer in MiB")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto wanted = [&](const char* group) {
    return groups.empty() || std::find(groups.begin(), groups.end(), group) != groups.end();
  };

  const longwire::bench::Device device = longwire::bench::open_device();
  std::vector<longwire::bench::Figure> figures;
  if (wanted("latency")) longwire::bench::latency_figures(device, figures);
  if (wanted("throughput")) longwire::bench::throughput_figures(device, figures);
  if (wanted("transfer")) longwire::bench::transfer_figures(device, largest_mib << 20, figures);
  print_json(device, figures);
  return 0;
}
