// Private to link/tls: what a TlsContext holds.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "link/tls/tls_engine.h"

namespace longwire::link {

template <auto Free>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using SslCtxPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, OpensslFree<SSL_SESSION_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free>>;
using BioMethodPtr = std::unique_ptr<BIO_METHOD, OpensslFree<BIO_meth_free>>;

struct TlsContext::State {
  ~State();
  TlsRole role = TlsRole::kClient;
  VerifyPeer verify;
  std::string psk_identity;
  PreSharedKey psk{};
  SslCtxPtr ctx;
  BioMethodPtr bio_method;
};

// The memory BIO of an engine; its state is set with BIO_set_data.
BioMethodPtr make_engine_bio_method();

base::Result<Fingerprint> fingerprint_of(X509* certificate);

// The extension that holds a certificate's note: an arc of our own, 2.25 and a UUID.
inline constexpr const char* kNoteOid = "2.25.147463922094826014405862517350046238721";
// Empty where there is none, or one that is too long.
std::vector<std::byte> note_of(X509* certificate);

// Of PEM text, never asking for a passphrase. Errors: kInvalidArgument.
base::Result<X509Ptr> parse_certificate(std::string_view pem);
base::Result<PkeyPtr> parse_private_key(std::string_view pem);

// Our error for the newest in OpenSSL's queue, which is emptied.
base::Error openssl_error(base::ErrorCode code, std::string_view what);

}  // namespace longwire::link
