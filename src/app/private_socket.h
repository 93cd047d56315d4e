// A unix socket in a directory that is this user's alone: for the desks of a node that only its own
// user and root may come to.
#pragma once

#include <asio.hpp>
#include <filesystem>

#include "base/result.h"

namespace longwire::app {

inline constexpr int kPrivateSocketBacklog = 4;

// Listens at `path`, in place of whatever lies there. Errors: kInvalidArgument (the path is too
// long for a socket), kUnavailable.
base::Status listen_privately(asio::local::stream_protocol::acceptor& acceptor,
                              const std::filesystem::path& path);

}  // namespace longwire::app
