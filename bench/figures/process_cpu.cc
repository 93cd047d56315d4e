#include "figures/process_cpu.h"

#include <time.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace longwire::bench {
namespace {

namespace fs = std::filesystem;

int number_of(const std::string& text) {
  int number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  return end == text.data() + text.size() ? number : 0;
}

int parent_of(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line, state;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');  // pid (name) state parent ...
  if (name_end == std::string::npos) return 0;
  return std::atoi(line.c_str() + std::min(name_end + 4, line.size()));
}

double cpu_us(int process) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

std::vector<std::pair<int, int>> processes_and_parents() {
  std::vector<std::pair<int, int>> all;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", ignored)) {
    const int process = number_of(entry.path().filename().string());
    if (process > 0) all.emplace_back(process, parent_of(process));
  }
  return all;
}

}  // namespace

double tree_cpu_us(int process) {
  if (process <= 0) return 0;
  const auto all = processes_and_parents();
  std::vector<int> tree = {process};
  double sum_us = 0;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    sum_us += cpu_us(tree[i]);
    for (const auto& [child, parent] : all)
      if (parent == tree[i]) tree.push_back(child);
  }
  return sum_us;
}

}  // namespace longwire::bench
