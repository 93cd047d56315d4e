// TrustWatch: what is revoked takes effect on sessions that run. Whoever edits the list of trusted
// clients (another process, a person) tells nobody, so it is looked at often, and before anybody
// joins a session.
#pragma once

#include <asio.hpp>

#include "node/secure_channel.h"
#include "node/sessions.h"

namespace longwire::node {

inline constexpr int kTrustWatchMs = 500;

class TrustWatch {
 public:
  // All arguments outlive the object.
  TrustWatch(asio::io_context& io, Authority& authority, Sessions& sessions)
      : authority_(authority), sessions_(sessions), timer_(io) {}

  // Looks at once: sessions of an earlier agent may be of keys that have been revoked since.
  void start();
  // Ends the sessions of keys that are trusted no more, or belong to another tenant now.
  void check();

 private:
  void watch();
  void check_all();

  Authority& authority_;
  Sessions& sessions_;
  asio::steady_timer timer_;
};

}  // namespace longwire::node
