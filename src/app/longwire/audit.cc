#include "app/longwire/audit.h"

#include <cstdio>
#include <ctime>
#include <fstream>

#include "app/longwire/audit_view.h"
#include "app/longwire/exit_codes.h"
#include "app/longwire/pair.h"
#include "node/audit.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

inline constexpr std::uint32_t kMostFiles = 1000;  // as the configuration allows

Status audit(const AuditFlags& flags) {
  AuditQuery query{"", flags.tenant, flags.json};
  if (!flags.since.empty()) {
    LW_ASSIGN(query.since, parse_since(flags.since, std::time(nullptr)));
  }
  LW_ASSIGN(const std::filesystem::path state, state_of(flags.config, flags.state));
  const std::filesystem::path newest = node::audit_file(state);
  std::uint32_t oldest = 0;
  std::error_code ignored;
  while (oldest < kMostFiles && std::filesystem::exists(node::rotated(newest, oldest + 1), ignored))
    ++oldest;
  std::uint64_t unreadable = 0;
  for (std::uint32_t age = oldest + 1; age-- > 0;) {
    std::ifstream file(node::rotated(newest, age));
    if (!file && age == 0) {
      return Error::from_errno(ErrorCode::kNotFound, "cannot read " + newest.string(), errno);
    }
    const std::string shown = show_audit(file, query, unreadable);
    std::fwrite(shown.data(), 1, shown.size(), stdout);
  }
  if (unreadable > 0) {
    std::fprintf(stderr, "longwire audit: %llu lines are torn\n",
                 static_cast<unsigned long long>(unreadable));
  }
  return {};
}

}  // namespace

void add_audit_command(CLI::App& cli, AuditFlags& flags) {
  CLI::App* command = cli.add_subcommand("audit", "Show who has used the node on this machine");
  command->add_option("--since", flags.since, "A time (UTC), or an age such as 12h or 7d")
      ->type_name("TIME");
  command->add_option("--tenant", flags.tenant, "Of this tenant only");
  command->add_flag("--json", flags.json, "One JSON object per line");
  add_node_places(*command, flags.config, flags.state);
}

int audit_main(const AuditFlags& flags) {
  const Status status = audit(flags);
  if (status) return kOk;
  std::fprintf(stderr, "longwire audit: %s\n", status.error().message().c_str());
  return status.error().code() == ErrorCode::kInvalidArgument ? kUsage : kFailed;
}

}  // namespace longwire::app
