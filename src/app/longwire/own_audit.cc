#include "app/longwire/own_audit.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdio>

#include "node/audit.h"

namespace longwire::app {

void write_own_audit(const std::filesystem::path& state, std::string_view event,
                     std::initializer_list<node::Field> fields) {
  const auto journal = node::make_journal({base::LogLevel::kWarning, false});
  node::AuditConfig config;
  config.max_size_bytes = ~std::uint64_t{0};  // rotating is the node's
  auto audit = node::Audit::open(node::audit_file(state), config, *journal);
  if (audit) {
    (*audit)->write(event, fields);
    return;
  }
  std::fprintf(stderr, "longwire: not in the audit log: %s\n", audit.error().message().c_str());
}

std::string own_user() {
  const passwd* user = ::getpwuid(::getuid());  // one thread
  return user != nullptr ? user->pw_name : std::to_string(::getuid());
}

}  // namespace longwire::app
