// PairingDesk: where `longwire pair` asks the running node for a code. A unix socket in the state
// directory, which only the node's own user (and root) can reach. The code is good for as long as
// that command waits, for one client, and for few wrong tries.
//
// Lines from the desk: "code 7Q3KM2XD 300 9477" (the code, seconds, the node's TLS ports), then
// "wrong ADDRESS" for each failed try, and at last "paired NAME FINGERPRINT" or "closed REASON".
//
// Threads: the io_context's.
#pragma once

#include <asio.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "node/journal.h"
#include "session/auth/pairing.h"

namespace longwire::app {

std::filesystem::path pairing_socket(const std::filesystem::path& state_directory);

class PairingDesk {
 public:
  PairingDesk(asio::io_context& io, const base::Clock& clock, base::Random& random,
              node::Journal& journal);
  ~PairingDesk();

  base::Status start(const std::filesystem::path& state_directory,
                     const std::vector<std::uint16_t>& ports);

  // The open offer, or null. Shared with the pairing that is under way with it.
  std::shared_ptr<session::PairingOffer> offer() const;
  void on_wrong(const std::string& address);
  void on_paired(const std::string& name, const std::string& fingerprint);

 private:
  using Socket = asio::local::stream_protocol::socket;

  void accept();
  void serve(Socket socket);
  void await_end();
  void tell(const std::string& line);
  void finish(const std::string& line);

  const base::Clock& clock_;
  base::Random& random_;
  node::Journal& journal_;
  std::filesystem::path path_;
  std::string ports_;
  asio::local::stream_protocol::acceptor acceptor_;
  Socket command_;  // the `longwire pair` that waits; closed when none does
  asio::steady_timer expiry_;
  char ignored_ = 0;
  std::shared_ptr<session::PairingOffer> offer_;
};

}  // namespace longwire::app
