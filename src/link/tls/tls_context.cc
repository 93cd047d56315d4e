#include "link/tls/tls_context.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>

namespace longwire::link {
namespace {

using base::Error;
using base::ErrorCode;

constexpr unsigned char kAes128GcmSha256[] = {0x13, 0x01};
// Both use SHA-256, as the pre-shared key must be bound to one hash.
constexpr const char* kCipherSuites = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";

// Inside a program of somebody else: no atexit handlers, no openssl.cnf.
bool init_openssl() {
  static const bool ok =
      ::OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr) == 1;
  return ok;
}

TlsContext::State& state_of(const SSL* ssl) {
  return *static_cast<TlsContext::State*>(SSL_CTX_get_app_data(::SSL_get_SSL_CTX(ssl)));
}

// In place of OpenSSL's chain building: the public key is the identity, nothing else is looked at.
int verify_certificate(X509_STORE_CTX* store, void* argument) {
  const auto& state = *static_cast<const TlsContext::State*>(argument);
  X509* const certificate = ::X509_STORE_CTX_get0_cert(store);
  const auto fingerprint = fingerprint_of(certificate);
  const bool good = fingerprint.ok() && state.verify({*fingerprint, note_of(certificate)});
  ::X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
  return good ? 1 : 0;
}

SessionPtr psk_session(SSL* ssl) {
  const TlsContext::State& state = state_of(ssl);
  SessionPtr session(::SSL_SESSION_new());
  const SSL_CIPHER* cipher = ::SSL_CIPHER_find(ssl, kAes128GcmSha256);
  if (!session || cipher == nullptr ||
      ::SSL_SESSION_set1_master_key(session.get(), state.psk.data(), state.psk.size()) != 1 ||
      ::SSL_SESSION_set_cipher(session.get(), cipher) != 1 ||
      ::SSL_SESSION_set_protocol_version(session.get(), TLS1_3_VERSION) != 1) {
    return nullptr;
  }
  return session;
}

int use_psk(SSL* ssl, const EVP_MD* hash, const unsigned char** identity, std::size_t* size,
            SSL_SESSION** session) {
  *session = nullptr;
  if (hash != nullptr && !::EVP_MD_is_a(hash, "SHA256")) return 1;  // then no key, and a failure
  const TlsContext::State& state = state_of(ssl);
  *identity = reinterpret_cast<const unsigned char*>(state.psk_identity.data());
  *size = state.psk_identity.size();
  *session = psk_session(ssl).release();
  return *session != nullptr ? 1 : 0;
}

int find_psk(SSL* ssl, const unsigned char* identity, std::size_t size, SSL_SESSION** session) {
  *session = nullptr;
  const std::string& expected = state_of(ssl).psk_identity;
  if (size != expected.size() || ::CRYPTO_memcmp(identity, expected.data(), size) != 0) return 1;
  *session = psk_session(ssl).release();
  return *session != nullptr ? 1 : 0;
}

base::Result<std::unique_ptr<TlsContext::State>> make_state(TlsRole role) {
  const auto fail = [] { return openssl_error(ErrorCode::kInternal, "cannot set up TLS"); };
  if (!init_openssl()) return fail();
  auto state = std::make_unique<TlsContext::State>();
  state->role = role;
  state->bio_method = make_engine_bio_method();
  state->ctx.reset(
      ::SSL_CTX_new(role == TlsRole::kClient ? ::TLS_client_method() : ::TLS_server_method()));
  SSL_CTX* ctx = state->ctx.get();
  if (ctx == nullptr || !state->bio_method) return fail();
  if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
      ::SSL_CTX_set_ciphersuites(ctx, kCipherSuites) != 1 ||
      SSL_CTX_set1_groups_list(ctx, "X25519:P-256") != 1 ||
      ::SSL_CTX_set_num_tickets(ctx, 0) != 1) {
    return fail();
  }
  ::SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_app_data(ctx, state.get());
  ::SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return state;
}

BioPtr bio_over(std::string_view text) {
  return BioPtr(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// For a key file that is encrypted after all: OpenSSL must not ask on the terminal.
int no_password(char*, int, int, void*) { return -1; }

}  // namespace

base::Result<X509Ptr> parse_certificate(std::string_view pem) {
  init_openssl();
  X509Ptr certificate(::PEM_read_bio_X509(bio_over(pem).get(), nullptr, no_password, nullptr));
  if (!certificate) return openssl_error(ErrorCode::kInvalidArgument, "bad certificate");
  return certificate;
}

base::Result<PkeyPtr> parse_private_key(std::string_view pem) {
  init_openssl();
  PkeyPtr key(::PEM_read_bio_PrivateKey(bio_over(pem).get(), nullptr, no_password, nullptr));
  if (!key) return openssl_error(ErrorCode::kInvalidArgument, "bad private key");
  return key;
}

Error openssl_error(ErrorCode code, std::string_view what) {
  const unsigned long newest = ::ERR_peek_last_error();
  const char* reason = ::ERR_reason_error_string(newest);
  ::ERR_clear_error();
  return Error(code, std::string(what) + ": " + (reason != nullptr ? reason : "unknown reason"));
}

base::Result<Fingerprint> fingerprint_of(X509* certificate) {
  if (certificate == nullptr) return Error(ErrorCode::kUnauthenticated, "no certificate");
  unsigned char* der = nullptr;
  const int size = ::i2d_X509_PUBKEY(::X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return openssl_error(ErrorCode::kUnauthenticated, "bad public key");
  Fingerprint fingerprint;
  const bool ok = ::EVP_Digest(der, static_cast<std::size_t>(size), fingerprint.data(), nullptr,
                               ::EVP_sha256(), nullptr) == 1;
  ::OPENSSL_free(der);
  if (!ok) return openssl_error(ErrorCode::kInternal, "cannot hash a public key");
  return fingerprint;
}

std::vector<std::byte> note_of(X509* certificate) {
  if (certificate == nullptr) return {};
  const std::unique_ptr<ASN1_OBJECT, OpensslFree<ASN1_OBJECT_free>> oid(::OBJ_txt2obj(kNoteOid, 1));
  const int at = oid ? ::X509_get_ext_by_OBJ(certificate, oid.get(), -1) : -1;
  if (at < 0) return {};
  const ASN1_OCTET_STRING* value = ::X509_EXTENSION_get_data(::X509_get_ext(certificate, at));
  const auto size = static_cast<std::size_t>(::ASN1_STRING_length(value));
  if (size > kMaxCertificateNoteBytes) return {};
  const auto* data = reinterpret_cast<const std::byte*>(::ASN1_STRING_get0_data(value));
  return {data, data + size};
}

base::Result<Fingerprint> fingerprint_of_certificate(std::string_view pem) {
  LW_ASSIGN(const X509Ptr certificate, parse_certificate(pem));
  return fingerprint_of(certificate.get());
}

base::Result<TlsContext::Ptr> TlsContext::with_certificate(TlsRole role,
                                                           const TlsIdentity& identity,
                                                           VerifyPeer verify) {
  LW_ASSIGN(std::unique_ptr<State> state, make_state(role));
  SSL_CTX* ctx = state->ctx.get();
  LW_ASSIGN(const X509Ptr certificate, parse_certificate(identity.certificate_pem));
  LW_ASSIGN(const PkeyPtr key, parse_private_key(identity.private_key_pem));
  if (::SSL_CTX_use_certificate(ctx, certificate.get()) != 1 ||
      ::SSL_CTX_use_PrivateKey(ctx, key.get()) != 1 || ::SSL_CTX_check_private_key(ctx) != 1) {
    return openssl_error(ErrorCode::kInvalidArgument, "bad private key");
  }
  state->verify = std::move(verify);
  ::SSL_CTX_set_cert_verify_callback(ctx, verify_certificate, state.get());
  return Ptr(new TlsContext(std::move(state)));
}

base::Result<TlsContext::Ptr> TlsContext::with_pre_shared_key(TlsRole role, std::string identity,
                                                              const PreSharedKey& key) {
  LW_ASSIGN(std::unique_ptr<State> state, make_state(role));
  state->psk_identity = std::move(identity);
  state->psk = key;
  // Whoever shows a certificate instead is refused.
  state->verify = [](const PeerCertificate&) { return false; };
  ::SSL_CTX_set_cert_verify_callback(state->ctx.get(), verify_certificate, state.get());
  if (role == TlsRole::kClient) {
    ::SSL_CTX_set_psk_use_session_callback(state->ctx.get(), use_psk);
  } else {
    ::SSL_CTX_set_verify(state->ctx.get(), SSL_VERIFY_NONE, nullptr);  // nothing else is asked for
    ::SSL_CTX_set_psk_find_session_callback(state->ctx.get(), find_psk);
  }
  return Ptr(new TlsContext(std::move(state)));
}

TlsContext::State::~State() { ::OPENSSL_cleanse(psk.data(), psk.size()); }

TlsContext::TlsContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsContext::~TlsContext() = default;

}  // namespace longwire::link
