#include <chrono>
#include <iostream>

#include "soft/cases.h"

namespace longwire::bench::soft {
namespace {

std::string verdict(Device& device, const Case& running) {
  const std::string wrong = running.wrong(device.read(running.result));
  return wrong.empty() ? "ok" : wrong;
}

std::string prepare(Device& device, const std::string& name, Case& running) {
  for (const Named& named : cases()) {
    if (named.name != name) continue;
    running = named.make();
    device.prepare(running);
    device.run_us();
    return verdict(device, running);
  }
  return "no such case";
}

std::string list() {
  std::string names;
  for (const Named& named : cases())
    names += std::string(names.empty() ? "" : "|") + named.name;
  return names;
}

}  // namespace

double now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

int serve(Device& device) {
  Case running;
  for (std::string line; std::getline(std::cin, line);) {
    std::string answer = "what?";
    if (line == "list") answer = list();
    if (line.rfind("prepare ", 0) == 0) answer = prepare(device, line.substr(8), running);
    if (line == "run") answer = std::to_string(device.run_us());
    if (line == "check" && running.wrong) answer = verdict(device, running);
    std::cout << answer << std::endl;
  }
  return 0;
}

}  // namespace longwire::bench::soft
