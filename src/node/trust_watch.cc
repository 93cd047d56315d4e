#include "node/trust_watch.h"

namespace longwire::node {

void TrustWatch::start() {
  check_all();
  watch();
}

void TrustWatch::watch() {
  timer_.expires_after(std::chrono::milliseconds(kTrustWatchMs));
  timer_.async_wait([this](asio::error_code error) {
    if (error) return;
    check();
    watch();
  });
}

void TrustWatch::check() {
  if (authority_.trust_changed()) check_all();
}

void TrustWatch::check_all() {
  sessions_.end_where([this](const NewSession& session) -> std::string {
    if (session.key.empty() || session.grant) return "";
    const auto identity = authority_.known(session.key);
    if (identity) {
      return identity->tenant == session.tenant ? "" : "the client's key has another tenant now";
    }
    // A list that cannot be read lets nobody new in, but says nothing about those inside.
    const bool revoked = identity.error().code() == base::ErrorCode::kUnauthenticated;
    return revoked ? "the client's key has been revoked" : "";
  });
}

}  // namespace longwire::node
