// The node's Authority on the real thing: TLS of src/link/tls, keys and trusted clients of
// src/session in the node's state directory.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/pairing_desk.h"
#include "base/result.h"
#include "node/config.h"
#include "node/secure_channel.h"

namespace longwire::app {

// `desk` outlives the authority. Makes the node's keys at first use. Without TLS listeners nothing
// is made or opened.
base::Result<std::unique_ptr<node::Authority>> open_authority(const node::NodeConfig& config,
                                                              PairingDesk& desk);

// The node's list of paired clients: a TrustStore.
std::string clients_file(const std::filesystem::path& state_directory);

}  // namespace longwire::app
