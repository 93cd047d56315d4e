#include "app/longwire/doctor.h"

#include <cstdio>
#include <cstdlib>

#include "app/installation.h"
#include "app/longwire/doctor_config.h"
#include "app/longwire/doctor_driver.h"
#include "app/longwire/doctor_finding.h"
#include "app/longwire/doctor_machine.h"
#include "app/longwire/doctor_node.h"
#include "app/longwire/doctor_path.h"
#include "app/longwire/doctor_program.h"
#include "app/longwire/exit_codes.h"
#include "app/longwire/pair.h"
#include "app/serve_options.h"
#include "client/core/config.h"

namespace longwire::app {
namespace {

using base::Result;
using client::core::ConfigSource;
using client::core::NodeAddress;

inline constexpr const char* kDoctorHelp = R"(
Looks at this user's configuration, the OpenCL loader and driver, each node and the way to it and,
where a node has its state on this machine, at what it needs. Says of each what was seen and, where
something is wrong, what mends it. Takes a few seconds for each node.

With programs, only these are examined: whether a program, or a library, that uses CUDA's runtime
library can use ours.

Exit status: 0 when there is no problem (warnings are none), 1 when there is one, 2 when the command
line makes no sense.)";

Result<std::vector<NodeAddress>> named_nodes(const DoctorFlags& flags) {
  std::vector<NodeAddress> nodes;
  for (const std::string& text : flags.nodes) {
    LW_ASSIGN(NodeAddress node, client::core::parse_node_address(text));
    nodes.push_back(std::move(node));
  }
  return nodes;
}

// As a program would have it once the mend of "disabled" is done.
ConfigSource without_switch_off(ConfigSource source) {
  source.variable = [all = std::move(source.variable)](const char* name) {
    return std::string_view(name) == "LONGWIRE_DISABLE" ? std::nullopt : all(name);
  };
  return source;
}

Section examine_client(const DoctorFlags& flags, const ConfigSource& source,
                       const std::string& home) {
  DriverPlaces places;
  places.variable = source.variable;
  if (auto driver = find_opencl_driver()) places.own_driver = *std::move(driver);
  Section section{"this machine", check_driver(places)};
  for (Finding& finding : check_config(without_switch_off(source))) {
    // --node says which.
    if (finding.check != "nodes" || flags.nodes.empty()) section.findings.push_back(finding);
  }
  section.findings.push_back(check_keys(home));
  return section;
}

Section examine_node(const NodeAddress& node, const std::string& home, const std::string& token) {
  NodeVisit visit;
  visit.home = home;
  visit.token_file = token;
  Reached reached;
  Section section{node.to_string(), check_node(node, visit, reached)};
  if (reached.session == nullptr) return section;
  const Findings path = check_path(reached);
  section.findings.insert(section.findings.end(), path.begin(), path.end());
  return section;
}

// Whether this machine lends devices, or is to: it has a node's configuration or state.
bool is_node(const DoctorFlags& flags, const node::NodeConfig& config) {
  std::error_code error;
  return !flags.config.empty() || !flags.state.empty() || has_system_config() ||
         std::filesystem::exists(config.state.directory / "identity.pem", error);
}

void examine_machine(const DoctorFlags& flags, std::vector<Section>& sections) {
  ServeFlags serve;
  serve.config = flags.config;
  Section section{"the node on this machine", {}};
  auto config = read_config(serve);
  if (!config) {
    section.findings = {
        problem("node-config", config.error().message(), "correct it: longwired(8), FILES")};
    sections.push_back(std::move(section));
    return;
  }
  if (!flags.state.empty()) config->state.directory = flags.state;
  if (!is_node(flags, *config)) return;
  section.findings = check_machine(*config, DriverPlaces().loader);
  section.findings.insert(section.findings.begin(), fine("node-config", "nothing in it is wrong"));
  sections.push_back(std::move(section));
}

std::vector<Section> examine_programs(const DoctorFlags& flags) {
  const char* path = std::getenv("PATH");
  std::vector<Section> sections;
  for (const std::string& name : flags.programs)
    sections.push_back(
        {name, {check_cuda_runtime(find_program(name, path != nullptr ? path : ""))}});
  return sections;
}

int show(const DoctorFlags& flags, const std::vector<Section>& sections) {
  std::fputs((flags.json ? doctor_json(sections) : doctor_text(sections)).c_str(), stdout);
  return has_problem(sections) ? kFailed : kOk;
}

}  // namespace

void add_doctor_command(CLI::App& cli, DoctorFlags& flags) {
  CLI::App* doctor = cli.add_subcommand("doctor", "Find what is wrong, and say what mends it");
  doctor->footer(kDoctorHelp);
  doctor->add_option("-n,--node", flags.nodes, "A node to examine (repeatable)")
      ->type_name("HOST[:PORT]");
  doctor->add_flag("--json", flags.json, "For programs");
  add_node_places(*doctor, flags.config, flags.state);
  doctor->add_option("program", flags.programs, "A program to examine instead")->type_name("FILE");
}

int doctor_main(const DoctorFlags& flags) {
  if (!flags.programs.empty()) return show(flags, examine_programs(flags));
  auto nodes = named_nodes(flags);
  if (!nodes) {
    std::fprintf(stderr, "longwire doctor: %s\n", nodes.error().message().c_str());
    return kUsage;
  }
  const ConfigSource source = client::core::system_config_source();
  const auto config = client::core::load_config(without_switch_off(source));
  const std::string home = client::core::home_of(source);
  // Children are forked in the first: no thread has been started by then.
  std::vector<Section> sections = {examine_client(flags, source, home)};
  examine_machine(flags, sections);
  if (nodes->empty() && config) *nodes = config->nodes;
  for (const NodeAddress& node : *nodes)
    sections.push_back(examine_node(node, home, config ? config->token_file : ""));
  return show(flags, sections);
}

}  // namespace longwire::app
