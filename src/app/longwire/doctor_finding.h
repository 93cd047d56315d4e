// What a check of `longwire doctor` has found, and how findings are shown.
#pragma once

#include <string>
#include <vector>

namespace longwire::app {

enum class Outcome {
  kOk,
  kWarning,  // it works, but slower or less safely than it could
  kProblem,  // programs find no device, or a node cannot lend one
  kSkipped,  // nothing to check, or it cannot be checked here
};

struct Finding {
  std::string check;  // its name, the same in every version: "icd", "connect"
  Outcome outcome = Outcome::kOk;
  std::string seen;  // one line
  std::string mend;  // one line; empty where there is nothing to do
};
using Findings = std::vector<Finding>;

inline Finding fine(std::string check, std::string seen) {
  return {std::move(check), Outcome::kOk, std::move(seen), ""};
}
inline Finding skipped(std::string check, std::string seen) {
  return {std::move(check), Outcome::kSkipped, std::move(seen), ""};
}
inline Finding warning(std::string check, std::string seen, std::string mend) {
  return {std::move(check), Outcome::kWarning, std::move(seen), std::move(mend)};
}
inline Finding problem(std::string check, std::string seen, std::string mend) {
  return {std::move(check), Outcome::kProblem, std::move(seen), std::move(mend)};
}

// Findings about one thing: "this machine", a node as it is written, "the node here".
struct Section {
  std::string about;
  Findings findings;
};

bool has_problem(const std::vector<Section>& sections);
std::string doctor_text(const std::vector<Section>& sections);
std::string doctor_json(const std::vector<Section>& sections);

}  // namespace longwire::app
