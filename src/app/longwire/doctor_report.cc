#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/longwire/doctor_finding.h"
#include "app/longwire/table.h"

namespace longwire::app {
namespace {

const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kWarning:
      return "warning";
    case Outcome::kProblem:
      return "problem";
    case Outcome::kSkipped:
      return "skipped";
  }
  return "?";
}

std::size_t count(const std::vector<Section>& sections, Outcome outcome) {
  std::size_t found = 0;
  for (const Section& section : sections) {
    found +=
        static_cast<std::size_t>(std::ranges::count(section.findings, outcome, &Finding::outcome));
  }
  return found;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string counted(std::size_t number, const std::string& word) {
  return std::to_string(number) + " " + word + (number == 1 ? "" : "s");
}

constexpr std::size_t kOutcomeWidth = 7;  // "problem"

}  // namespace

bool has_problem(const std::vector<Section>& sections) {
  return count(sections, Outcome::kProblem) != 0;
}

std::string doctor_text(const std::vector<Section>& sections) {
  std::size_t width = 0;
  for (const Section& section : sections) {
    for (const Finding& finding : section.findings)
      width = std::max(width, finding.check.size());
  }
  std::string text;
  for (const Section& section : sections) {
    text += printable(section.about) + "\n";
    for (const Finding& f : section.findings) {
      text += "  " + padded(name_of(f.outcome), kOutcomeWidth) + "  " + padded(f.check, width) +
              "  " + printable(f.seen) + "\n";
      if (!f.mend.empty())
        text += std::string(kOutcomeWidth + width + 6, ' ') + printable(f.mend) + "\n";
    }
  }
  const std::size_t problems = count(sections, Outcome::kProblem);
  const std::size_t warnings = count(sections, Outcome::kWarning);
  if (problems + warnings == 0) return text + "Nothing is wrong.\n";
  return text + counted(problems, "problem") + ", " + counted(warnings, "warning") + ".\n";
}

std::string doctor_json(const std::vector<Section>& sections) {
  auto list = nlohmann::ordered_json::array();
  for (const Section& section : sections) {
    for (const Finding& f : section.findings) {
      list.push_back({{"about", section.about},
                      {"check", f.check},
                      {"outcome", name_of(f.outcome)},
                      {"seen", f.seen},
                      {"mend", f.mend}});
    }
  }
  const nlohmann::ordered_json report = {{"problems", count(sections, Outcome::kProblem)},
                                         {"warnings", count(sections, Outcome::kWarning)},
                                         {"findings", std::move(list)}};
  return report.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace longwire::app
