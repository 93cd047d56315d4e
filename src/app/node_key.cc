#include "app/node_key.h"

#include "session/auth/key_store.h"

namespace longwire::app {

base::Result<NodeKey> NodeKey::open(std::string directory, std::string name) {
  NodeKey key(std::move(directory), std::move(name));
  LW_TRY(key.read());
  return key;
}

void NodeKey::refresh() {
  const session::FileStamp now = session::stamp_of(directory_ + "/" + session::kIdentityFile);
  // Not one that is gone: a running node makes no key.
  if (now == stamp_ || now == session::FileStamp{}) return;
  if (!read()) stamp_ = now;  // until it is another one again
}

base::Status NodeKey::read() {
  LW_ASSIGN(const session::KeyStore keys, session::KeyStore::open_or_create(directory_, name_));
  // Strangers are let through the TLS handshake, so that they can be told why they are refused, and
  // can pair; what Authority::recognise() says is what counts.
  LW_ASSIGN(context_,
            link::TlsContext::with_certificate(link::TlsRole::kServer, keys.identity(),
                                               [](const link::PeerCertificate&) { return true; }));
  fingerprint_ = keys.fingerprint();
  stamp_ = session::stamp_of(directory_ + "/" + session::kIdentityFile);
  return {};
}

}  // namespace longwire::app
