// Makes docs/coverage-ptx.md of the table of forms and of isa.txt, the list of the instructions
// that there are; or, with --check, says whether it is up to date.
//
//   softcuda_ptx_coverage ISA.txt OUT.md [--check]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "softcuda/ir/form.h"
#include "softcuda/ir/opcode.h"

namespace longwire::softcuda::ir {
namespace {

struct Listed {
  std::string name;
  std::vector<std::string> forms;         // accepted, in the notation of forms.cc
  std::vector<std::string> refused;       // opcodes of no form
  std::vector<std::string> not_executed;  // opcodes that have one, and are refused later
};

struct Group {
  std::string title;
  std::vector<Listed> instructions;
};

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "ptx_coverage: %s\n", message.c_str());
  std::exit(1);
}

std::string read(const char* path) {
  std::ifstream file(path);
  if (!file) fail(std::string("cannot read ") + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Group> read_list(const char* path) {
  std::vector<Group> groups;
  std::istringstream lines(read(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      groups.push_back({line.substr(1, line.size() - 2), {}});
    } else if (line[0] == '!' || line[0] == '~') {
      Listed& last = groups.back().instructions.back();
      const std::string opcode = line.substr(2, line.find(' ', 2) - 2);
      (line[0] == '!' ? last.refused : last.not_executed).push_back(opcode);
    } else {
      groups.back().instructions.push_back({line, {}, {}, {}});
    }
  }
  return groups;
}

// The words of a name ("mad.cc") that are words of a pattern too ("mad.lo|hi.cc.u32|..."), which
// must be all, in this order and the first one first; 0: they are not.
std::size_t words_in(const std::string& name, const std::string& pattern) {
  std::size_t words = 0, at = 0;
  std::istringstream parts(name);
  for (std::string word; std::getline(parts, word, '.'); ++words) {
    for (;; ++at) {
      at = pattern.find(word, at);
      if (at == std::string::npos || (words == 0 && at != 0)) return 0;
      const std::size_t end = at + word.size();
      const bool begins = at == 0 || pattern[at - 1] == '.';
      const bool optional = at > 1 && pattern[at - 2] == '{';
      if (begins && !optional &&
          (end == pattern.size() || pattern[end] == '.' || pattern[end] == '{' ||
           pattern[end] == '|'))
        break;
    }
  }
  return words;
}

void assign_forms(std::vector<Group>& groups) {
  for (const FormLine& line : form_lines()) {
    Listed* best = nullptr;
    std::size_t most = 0;
    for (Group& group : groups)
      for (Listed& listed : group.instructions)
        if (const std::size_t words = words_in(listed.name, line.pattern); words > most) {
          best = &listed;
          most = words;
        }
    if (best == nullptr) fail(std::string("isa.txt lacks ") + line.pattern);
    if (best->forms.empty() || best->forms.back() != line.pattern)
      best->forms.emplace_back(line.pattern);
  }
}

void check(const std::vector<Group>& groups) {
  Opcodes opcodes;
  for (const Group& group : groups)
    for (const Listed& listed : group.instructions) {
      if (listed.forms.empty() && listed.refused.empty())
        fail(listed.name + " has no form, and no statement that is refused");
      for (const std::string& opcode : listed.refused)
        if (opcodes.decode(opcode).form != nullptr) fail(opcode + " is not refused");
      for (const std::string& opcode : listed.not_executed)
        if (opcodes.decode(opcode).form == nullptr) fail(opcode + " has no form");
    }
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "`" : ", `") + word + "`";
  return text;
}

std::string page_of(const Group& group) {
  std::string accepted;
  std::vector<std::string> missing, refused;
  for (const Listed& listed : group.instructions) {
    for (const std::string& form : listed.forms)
      accepted += form + "\n";
    if (listed.forms.empty())
      missing.push_back(listed.name);
    else
      for (const auto* more : {&listed.refused, &listed.not_executed})
        refused.insert(refused.end(), more->begin(), more->end());
  }
  std::string text = "\n## " + group.title + "\n";
  if (!accepted.empty()) text += "```\n" + accepted + "```\n";
  if (!missing.empty()) text += "\nMissing: " + joined(missing) + "\n";
  if (!refused.empty())
    text += "\nForms that are missing, an example of each: " + joined(refused) + "\n";
  return text;
}

std::string page_of(const std::vector<Group>& groups) {
  std::size_t all = 0, there = 0;
  for (const Group& group : groups)
    for (const Listed& listed : group.instructions) {
      ++all;
      if (!listed.forms.empty()) ++there;
    }
  std::string text =
      "# PTX instructions of the soft CUDA device\n"
      "Made by src/softcuda/ir/coverage.cc of forms.cc and isa.txt; do not edit.\n\n"
      "The instructions of PTX ISA 9.0, by the groups of its chapter 9.7: " +
      std::to_string(there) + " of " + std::to_string(all) +
      " are there. What is missing is refused when a module is loaded: `CUDA_ERROR_INVALID_PTX`, "
      "and a line in the JIT log with its name, line and column.\n\n"
      "In a form, `{…}` may be missing and `|` stands between alternatives. `$name` is one of:\n"
      "```\n";
  for (const FormSet& set : form_sets())
    text += "$" + std::string(set.name) + ": " + std::string(set.alternatives) + "\n";
  text += "```\n";
  for (const Group& group : groups)
    text += page_of(group);
  return text;
}

}  // namespace
}  // namespace longwire::softcuda::ir

int main(int count, char** arguments) {
  using namespace longwire::softcuda::ir;
  if (count < 3) fail("usage: softcuda_ptx_coverage ISA.txt OUT.md [--check]");
  std::vector<Group> groups = read_list(arguments[1]);
  assign_forms(groups);
  check(groups);
  const std::string page = page_of(groups);
  if (count > 3) {
    if (read(arguments[2]) == page) return 0;
    fail(std::string(arguments[2]) + " is not up to date: run this without --check");
  }
  return std::ofstream(arguments[2]) << page ? 0 : 1;
}
