// NewSession: everything that a client has said and we have found out, for one new session. It is
// what the agent knows of the session from then on, and what a later agent reads in its record
// (worker_record.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "node/secure_channel.h"

namespace longwire::node {

struct NewSession {
  bool encrypted = false;
  std::string origin;  // only connections of the same origin may join (see may_join())
  std::uint16_t version = 0;
  std::uint64_t features = 0;
  std::uint32_t max_payload_bytes = 0;
  std::string tenant;
  std::string client;  // the name that its key has here
  std::string key;     // its key's fingerprint in hex; empty: none, and nothing to revoke
  std::optional<Grant> grant;
  std::string peer;
  std::string program;
};

}  // namespace longwire::node
