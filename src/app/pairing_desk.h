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
#include "node/audit.h"
#include "node/journal.h"
#include "session/auth/attempt_limit.h"
#include "session/auth/pairing.h"
#include "session/auth/trust_store.h"

namespace longwire::app {

std::filesystem::path pairing_socket(const std::filesystem::path& state_directory);

class PairingDesk {
 public:
  PairingDesk(asio::io_context& io, const base::Clock& clock, base::Random& random,
              node::Journal& journal, node::Audit& audit);
  ~PairingDesk();

  base::Status start(const std::filesystem::path& state_directory,
                     const std::vector<std::uint16_t>& ports);

  // The open offer, or null. Shared with the pairing that is under way with it.
  std::shared_ptr<session::PairingOffer> offer() const;
  // Before each try of a code. kPermissionDenied where that address has had too many.
  base::Status take_try(const std::string& address);
  void on_wrong(const std::string& address);
  void on_paired(const session::TrustedPeer& client, const std::string& address);

 private:
  using Socket = asio::local::stream_protocol::socket;

  void accept();
  void serve(Socket socket);
  void await_end();
  void tell(const std::string& line);
  void finish(const std::string& line);
  void tell_log(base::LogLevel level, std::string_view event,
                std::initializer_list<node::Field> fields);

  const base::Clock& clock_;
  base::Random& random_;
  node::Journal& journal_;
  node::Audit& audit_;
  std::filesystem::path path_;
  std::string ports_;
  asio::local::stream_protocol::acceptor acceptor_;
  Socket command_;  // the `longwire pair` that waits; closed when none does
  asio::steady_timer expiry_;
  char ignored_ = 0;
  std::shared_ptr<session::PairingOffer> offer_;
  session::AttemptLimit attempts_;
};

}  // namespace longwire::app
