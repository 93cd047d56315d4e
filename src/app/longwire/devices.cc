#include "app/longwire/devices.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/installation.h"
#include "app/longwire/device_list.h"
#include "app/longwire/exit_codes.h"
#include "app/longwire/table.h"
#include "client/core/config.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using client::core::NodeAddress;

struct NodeDevices {
  std::string node;
  Result<std::vector<DeviceFacts>> devices;
};

Result<std::vector<NodeAddress>> nodes_of(const DevicesFlags& flags) {
  std::vector<NodeAddress> nodes;
  for (const std::string& text : flags.nodes) {
    LW_ASSIGN(NodeAddress node, client::core::parse_node_address(text));
    nodes.push_back(std::move(node));
  }
  if (!nodes.empty()) return nodes;
  LW_ASSIGN(client::core::Config config,
            client::core::load_config(client::core::system_config_source()));
  if (!config.nodes.empty()) return std::move(config.nodes);
  return Error(ErrorCode::kInvalidArgument,
               "no node is named: use --node HOST[:PORT], LONGWIRE_NODES or config.toml");
}

Result<std::vector<NodeDevices>> ask_all(const DevicesFlags& flags) {
  LW_ASSIGN(const std::filesystem::path driver, find_opencl_driver());
  LW_ASSIGN(const std::vector<NodeAddress> nodes, nodes_of(flags));
  std::vector<DeviceQuery> queries;
  for (const NodeAddress& node : nodes) {
    LW_ASSIGN(DeviceQuery query, DeviceQuery::start(node.to_string(), driver.string()));
    queries.push_back(std::move(query));
  }
  std::vector<NodeDevices> answers;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    answers.push_back({nodes[i].to_string(), queries[i].finish()});
  }
  return answers;
}

void print_table(const std::vector<NodeDevices>& answers) {
  Rows rows = {{"NODE", "DEVICE", "TYPE", "MEMORY", "UNITS", "DRIVER"}};
  for (const NodeDevices& answer : answers) {
    if (!answer.devices) {
      rows.push_back({answer.node, "(does not answer)", "", "", "", ""});
      continue;
    }
    if (answer.devices->empty()) rows.push_back({answer.node, "(no device)", "", "", "", ""});
    for (const DeviceFacts& d : *answer.devices) {
      rows.push_back({answer.node, d.name, d.type, show_bytes(d.memory_bytes),
                      std::to_string(d.units), d.driver});
    }
  }
  std::fputs(format_table(rows, rows[0].size()).c_str(), stdout);
}

nlohmann::ordered_json json_of(const DeviceFacts& d) {
  return {{"name", d.name},          {"type", d.type},     {"vendor", d.vendor},
          {"version", d.version},    {"driver", d.driver}, {"memory_bytes", d.memory_bytes},
          {"compute_units", d.units}};
}

void print_json(const std::vector<NodeDevices>& answers) {
  auto list = nlohmann::ordered_json::array();
  for (const NodeDevices& answer : answers) {
    nlohmann::ordered_json node = {{"node", answer.node}, {"answers", answer.devices.ok()}};
    node["devices"] = nlohmann::ordered_json::array();
    if (answer.devices) {
      for (const DeviceFacts& device : *answer.devices)
        node["devices"].push_back(json_of(device));
    }
    list.push_back(std::move(node));
  }
  std::printf("%s\n", list.dump(2, ' ', true, nlohmann::json::error_handler_t::replace).c_str());
}

}  // namespace

void add_devices_command(CLI::App& cli, DevicesFlags& flags) {
  CLI::App* devices = cli.add_subcommand("devices", "List the devices of the nodes");
  devices->add_option("-n,--node", flags.nodes, "A node to ask (repeatable)")
      ->type_name("HOST[:PORT]");
  devices->add_flag("--json", flags.json, "For programs");
  devices->footer("\nExit status: 0 when every node has answered, 1 when one has not.");
}

int devices_main(const DevicesFlags& flags) {
  auto answers = ask_all(flags);
  if (!answers) {
    std::fprintf(stderr, "longwire devices: %s\n", answers.error().message().c_str());
    return answers.error().code() == ErrorCode::kInvalidArgument ? kUsage : kFailed;
  }
  flags.json ? print_json(*answers) : print_table(*answers);
  for (const NodeDevices& answer : *answers) {
    if (!answer.devices) return kFailed;
  }
  return kOk;
}

}  // namespace longwire::app
