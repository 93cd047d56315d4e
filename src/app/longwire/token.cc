#include "app/longwire/token.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "app/longwire/audit_view.h"
#include "app/longwire/exit_codes.h"
#include "base/random.h"
#include "link/tls/identity.h"
#include "node/config.h"
#include "session/auth/key_store.h"
#include "session/auth/token.h"
#include "session/private_file.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

inline constexpr std::size_t kMaxTokenFileBytes = 4096;

inline constexpr const char* kTokenHelp = R"(
Whoever holds an issuer's key lets clients use the nodes that trust it, for a short time, with no
pairing:
  once            longwire token new-issuer KEYFILE       prints the public key, for a node's
                                                          [tokens] issuers = ["..."]
  for a session   longwire token issue --issuer-key KEYFILE --tenant lab --node KEY --client KEY
  the client      LONGWIRE_TOKEN_FILE=FILE
`longwire key` prints a client's or, with --node, a node's KEY.)";

Status new_issuer(const TokenFlags& flags) {
  LW_ASSIGN(const link::TlsIdentity made, link::make_identity("longwire issuer"));
  LW_TRY(session::write_private_file(flags.file, made.private_key_pem, session::IfThere::kKeep));
  LW_ASSIGN(const std::string kept,
            session::read_private_file(flags.file, session::kMaxIdentityBytes));
  LW_ASSIGN(const session::IssuerKey issuer, session::issuer_key_of(kept));
  std::printf("%s\n", session::to_hex(issuer).c_str());
  return {};
}

Status issue(const TokenFlags& flags) {
  session::Token token;
  LW_ASSIGN(token.node, session::fingerprint_from_hex(flags.node));
  LW_ASSIGN(token.client, session::fingerprint_from_hex(flags.client));
  base::SystemRandom().fill(std::as_writable_bytes(std::span(token.id)));
  token.issued_at_s = std::time(nullptr);
  LW_ASSIGN(const std::int64_t ttl_s, parse_age(flags.ttl));
  token.expires_at_s = token.issued_at_s + ttl_s;
  token.epoch = flags.epoch;
  if (!flags.memory.empty()) {
    LW_ASSIGN(token.memory_bytes, node::parse_bytes(flags.memory));
  }
  token.share_permille =
      static_cast<std::uint32_t>(std::lround(flags.share * session::kWholeShare));
  token.tenant = flags.tenant;
  token.devices = flags.devices;
  LW_ASSIGN(const std::string key,
            session::read_private_file(flags.file, session::kMaxIdentityBytes));
  LW_ASSIGN(const std::vector<std::byte> bytes, session::sign_token(token, key));
  const std::string text = session::token_to_text(bytes) + "\n";
  if (!flags.out.empty()) {
    return session::write_private_file(flags.out, text, session::IfThere::kReplace);
  }
  std::fputs(text.c_str(), stdout);
  return {};
}

std::string time_text(std::int64_t seconds) {
  const std::time_t then = seconds;
  std::tm utc{};
  ::gmtime_r(&then, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

// What it says; only a node knows whether to believe it.
Status show(const TokenFlags& flags) {
  LW_ASSIGN(const std::string text, session::read_private_file(flags.file, kMaxTokenFileBytes));
  LW_ASSIGN(const std::vector<std::byte> bytes, session::token_from_text(text));
  LW_ASSIGN(const session::Token token, session::read_token(bytes));
  std::printf("issuer   %s\nnode     %s\nclient   %s\nid       %s\n",
              session::to_hex(token.issuer).c_str(), session::to_hex(token.node).c_str(),
              session::to_hex(token.client).c_str(), session::to_hex(token.id).c_str());
  std::printf("issued   %s\nexpires  %s\ntenant   %s\nepoch    %llu\nmemory   %llu\nshare    %g\n",
              time_text(token.issued_at_s).c_str(), time_text(token.expires_at_s).c_str(),
              token.tenant.c_str(), static_cast<unsigned long long>(token.epoch),
              static_cast<unsigned long long>(token.memory_bytes),
              static_cast<double>(token.share_permille) / session::kWholeShare);
  std::printf("devices ");
  for (const std::string& device : token.devices)
    std::printf(" %s", device.c_str());
  std::printf(token.devices.empty() ? " all\n" : "\n");
  return {};
}

int exit_code(const char* command, const Status& status) {
  if (status) return kOk;
  std::fprintf(stderr, "longwire %s: %s\n", command, status.error().message().c_str());
  return status.error().code() == ErrorCode::kInvalidArgument ? kUsage : kFailed;
}

void add_issue(CLI::App& token, TokenFlags& flags) {
  CLI::App* issue = token.add_subcommand("issue", "Print a token for one session of one client");
  issue->add_option("--issuer-key", flags.file, "The issuer's key")->type_name("FILE")->required();
  issue->add_option("--tenant", flags.tenant, "Whose session it will be")->required();
  issue->add_option("--node", flags.node, "The node's key")->type_name("KEY")->required();
  issue->add_option("--client", flags.client, "The client's key")->type_name("KEY")->required();
  issue->add_option("--memory", flags.memory, "Of devices, such as 2GiB (default: no limit)");
  issue
      ->add_option("--share", flags.share, "Of the devices' time, up to 1 (recorded, not enforced)")
      ->check(CLI::Range(0.001, 1.0));
  issue->add_option("--device", flags.devices, "A device's number or name (repeatable; all)");
  issue->add_option("--epoch", flags.epoch, "A higher one ends sessions of lower ones");
  issue->add_option("--ttl", flags.ttl, "For how long a session may begin, up to 24h (10m)");
  issue->add_option("--out", flags.out, "Write it to this file")->type_name("FILE");
}

}  // namespace

void add_token_command(CLI::App& cli, TokenFlags& flags) {
  CLI::App* token = cli.add_subcommand("token", "Make and read tokens, in place of pairing");
  token->footer(kTokenHelp);
  token->require_subcommand(1);
  add_issue(*token, flags);
  token
      ->add_subcommand("new-issuer",
                       "Make an issuer's key, if it is not there; print its public one")
      ->add_option("file", flags.file)
      ->type_name("FILE")
      ->required();
  token->add_subcommand("show", "Say what a token says")
      ->add_option("file", flags.file)
      ->type_name("FILE")
      ->required();
}

int token_main(const CLI::App& cli, const TokenFlags& flags) {
  const CLI::App* command = cli.get_subcommand("token");
  if (command->got_subcommand("issue")) return exit_code("token issue", issue(flags));
  if (command->got_subcommand("show")) return exit_code("token show", show(flags));
  return exit_code("token new-issuer", new_issuer(flags));
}

}  // namespace longwire::app
