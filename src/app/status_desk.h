// StatusDesk: where `longwire top` asks the running node what it does. A unix socket in the state
// directory, which only the node's own user (and root) can reach: nobody else learns who uses the
// node. Whoever connects gets one JSON object per line, first the node, then each session, and the
// end.
//
// Threads: the io_context's.
#pragma once

#include <asio.hpp>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "node/agent.h"
#include "node/config.h"

namespace longwire::app {

inline constexpr int kMaxStatusReaders = 16;  // at once

std::filesystem::path status_socket(const std::filesystem::path& state_directory);

class StatusDesk {
 public:
  // All arguments outlive the desk.
  StatusDesk(asio::io_context& io, const base::Clock& clock, const node::Agent& agent,
             const node::NodeConfig& config);
  ~StatusDesk();

  // Makes the state directory where it is missing. kUnavailable: another node uses it.
  base::Status start();

 private:
  using Socket = asio::local::stream_protocol::socket;

  void accept();
  void serve(Socket socket);
  std::string text() const;

  const base::Clock& clock_;
  const node::Agent& agent_;
  const node::NodeConfig& config_;
  const base::Nanoseconds began_at_ns_;
  std::filesystem::path path_;
  asio::local::stream_protocol::acceptor acceptor_;
  int readers_ = 0;
};

}  // namespace longwire::app
