// Fingerprints as people and files see them.
#pragma once

#include <string>
#include <string_view>

#include "link/tls/tls_engine.h"

namespace longwire::session {

using link::Fingerprint;

// 64 lower-case hex digits.
std::string to_hex(const Fingerprint& fingerprint);
base::Result<Fingerprint> fingerprint_from_hex(std::string_view text);

// For reading aloud: Crockford's base32 in groups of four, "7Q3K-…" (52 digits).
std::string to_base32(const Fingerprint& fingerprint);

}  // namespace longwire::session
