// Making a machine's own key: Ed25519, self-signed. Nobody checks the certificate's contents; what
// counts is its public key's fingerprint.
#pragma once

#include <string_view>

#include "link/tls/tls_engine.h"

namespace longwire::link {

// `name` is for people who look at the certificate; at most 64 bytes count.
base::Result<TlsIdentity> make_identity(std::string_view name);

}  // namespace longwire::link
