// Opening links to a node: what the drivers and the `longwire` command share. docs/PROTOCOL.md,
// "Handshake"; session/handshake.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "client/core/config.h"
#include "client/core/node_session.h"
#include "session/handshake.h"

namespace longwire::driver {

// What this side can do, and asks for in a new session.
inline constexpr std::uint64_t kFeatures = session::kFeatureOpenCl | session::kFeatureLanes |
                                           session::kFeatureResume | session::kFeatureIntroduction |
                                           session::kFeatureAgentAway;

// `home`: where this machine's key and the nodes that it trusts are kept. `token_file`: a token for
// the node that it names, which needs no pairing then; empty: none. Nothing is opened yet.
std::unique_ptr<client::core::Connector> make_connector(client::core::NodeAddress address,
                                                        std::string home, std::string token_file,
                                                        std::uint64_t features = kFeatures);

// The nodes that a user trusts: a session::TrustStore. The user's key is in a session::KeyStore in
// `home` itself.
std::string nodes_file(const std::string& home);

}  // namespace longwire::driver
