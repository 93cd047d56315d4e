// Opening links to a node: what the drivers and the `longwire` command share. docs/PROTOCOL.md,
// "Handshake"; session/handshake.h.
#pragma once

#include <memory>
#include <string>

#include "client/core/config.h"
#include "client/core/node_session.h"

namespace longwire::driver {

// `home`: where this machine's key and the nodes that it trusts are kept. Nothing is opened yet.
std::unique_ptr<client::core::Connector> make_connector(client::core::NodeAddress address,
                                                        std::string home);

// The nodes that a user trusts: a session::TrustStore. The user's key is in a session::KeyStore in
// `home` itself.
std::string nodes_file(const std::string& home);

}  // namespace longwire::driver
