#include "app/longwire/bench_figures.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/longwire/table.h"

namespace longwire::app {
namespace {

// A processor counts as busy from here on: the rest is measuring and waking up.
constexpr double kBusyCore = 0.85;
// A round trip over a distance, beyond which waiting for it is what costs.
constexpr std::int64_t kFarNs = 300'000;

std::string percent(double part, double of) {
  return std::to_string(static_cast<int>(of <= 0 ? 0 : 100 * part / of + 0.5)) + "%";
}

std::string cores(double count) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.1f", count);
  return text.data();
}

// A figure that holds one round trip: is it that, or what the node does besides?
std::string link_or_node(std::int64_t took_ns, std::int64_t round_trip_ns, const char* besides) {
  const std::int64_t rest_ns = std::max<std::int64_t>(0, took_ns - round_trip_ns);
  if (rest_ns <= round_trip_ns / 2) {
    return "the link: " +
           percent(static_cast<double>(std::min(round_trip_ns, took_ns)),
                   static_cast<double>(took_ns)) +
           " is its round trip";
  }
  return std::string(besides) + ": " + show_time(rest_ns) + " beyond the round trip";
}

std::string judge_transfer(const Transfer& transfer, bool tls) {
  const std::string used = cores(transfer.cores()) + " cores of this machine are busy";
  if (transfer.cores() >= kBusyCore) {
    return (tls ? "this machine's processor, with TLS: " : "this machine's processor: ") + used;
  }
  return "the link, or the node's processor: " + used;
}

std::string judge_launches(const Figures& f) {
  const double cpu = static_cast<double>(f.launches_cpu_ns);
  const double took = static_cast<double>(f.launches_took_ns);
  const std::string each =
      show_time(f.launches_cpu_ns /
                static_cast<std::int64_t>(std::max<std::uint64_t>(1, f.launches))) +
      " of this machine's processor each";
  if (cpu >= kBusyCore * took) return "this machine's processor: " + each;
  return "the node: its driver or its processor; " + each;
}

std::string judge_pair(const Figures& f) {
  const std::int64_t round_trip_ns = f.round_trip.median();
  const double slower = std::min(f.to_device.bytes_per_s(), f.from_device.bytes_per_s());
  const Transfer& worse =
      f.to_device.bytes_per_s() < f.from_device.bytes_per_s() ? f.to_device : f.from_device;
  std::string text = round_trip_ns >= kFarNs
                         ? "Programs that wait for each result lose " + show_time(round_trip_ns) +
                               " each time, to the link's latency"
                         : "Waiting for a result costs little (" + show_time(round_trip_ns) + ")";
  if (f.finish.median() > 2 * round_trip_ns) {
    text += "; small kernels wait for the device more than for the link";
  }
  text += "; large data moves at " + show_bytes(static_cast<std::uint64_t>(slower)) + "/s, " +
          (worse.cores() >= kBusyCore ? "which this machine's processor limits"
                                      : "which the link or the node limits");
  return text + ".";
}

}  // namespace

Verdicts judge(const Figures& f) {
  const std::int64_t round_trip_ns = f.round_trip.median();
  const auto opening_ns = static_cast<std::int64_t>(f.set_up_round_trips) * round_trip_ns;
  Verdicts v;
  v.set_up = std::to_string(f.set_up_round_trips) + " round trips; " +
             link_or_node(f.set_up.median(), opening_ns, "the node's start of a worker, and keys");
  v.round_trip = round_trip_ns >= kFarNs ? "the link's latency" : "a short link";
  if (f.round_trip.p99() > 4 * round_trip_ns) v.round_trip += "; it varies: p99 is over 4 times it";
  v.read_4 = link_or_node(f.read_4.median(), round_trip_ns, "the device and its driver");
  v.finish = link_or_node(f.finish.median(), round_trip_ns, "the device and its driver");
  v.launches = judge_launches(f);
  v.to_device = judge_transfer(f.to_device, f.tls);
  v.from_device = judge_transfer(f.from_device, f.tls);
  v.pair = judge_pair(f);
  return v;
}

std::string bench_text(const Figures& f) {
  const Verdicts v = judge(f);
  const auto rate = [](const Transfer& transfer) {
    return show_bytes(static_cast<std::uint64_t>(transfer.bytes_per_s())) + "/s";
  };
  const auto row = [](const char* name, const Samples& samples, const std::string& verdict) {
    return std::vector<std::string>{name, show_time(samples.median()), show_time(samples.p99()),
                                    verdict};
  };
  const Rows rows = {
      {"FIGURE", "MEDIAN", "P99", "WHAT LIMITS IT"},
      row("session set-up", f.set_up, v.set_up),
      row("round trip", f.round_trip, v.round_trip),
      row("blocking read of 4 bytes", f.read_4, v.read_4),
      row("empty kernel + clFinish", f.finish, v.finish),
      {"small kernels", show_number(f.launches_per_s()) + "/s", "", v.launches},
      {"to the device", rate(f.to_device), "", v.to_device},
      {"from the device", rate(f.from_device), "", v.from_device},
  };
  return f.device + " at " + f.node + (f.tls ? ", TLS" : ", in clear") + "\n\n" +
         format_table(rows, 4) + "\n" + v.pair + "\n";
}

std::string bench_json(const Figures& f) {
  using Json = nlohmann::ordered_json;
  const Verdicts v = judge(f);
  const auto samples = [](const Samples& s, const std::string& verdict) {
    return Json{{"median_ns", s.median()},
                {"p99_ns", s.p99()},
                {"samples", s.size()},
                {"verdict", verdict}};
  };
  const auto transfer = [](const Transfer& t, const std::string& verdict) {
    return Json{{"bytes_per_s", static_cast<std::uint64_t>(t.bytes_per_s())},
                {"bytes", t.bytes},
                {"took_ns", t.took_ns},
                {"cpu_ns", t.cpu_ns},
                {"verdict", verdict}};
  };
  Json json = {{"node", f.node}, {"device", f.device}, {"tls", f.tls}};
  json["set_up"] = samples(f.set_up, v.set_up);
  json["set_up"]["round_trips"] = f.set_up_round_trips;
  json["round_trip"] = samples(f.round_trip, v.round_trip);
  json["read_4_bytes"] = samples(f.read_4, v.read_4);
  json["empty_kernel_finish"] = samples(f.finish, v.finish);
  json["small_kernels"] = {{"per_s", static_cast<std::uint64_t>(f.launches_per_s())},
                           {"launches", f.launches},
                           {"took_ns", f.launches_took_ns},
                           {"cpu_ns", f.launches_cpu_ns},
                           {"verdict", v.launches}};
  json["to_device"] = transfer(f.to_device, v.to_device);
  json["from_device"] = transfer(f.from_device, v.from_device);
  json["verdict"] = v.pair;
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace longwire::app
