#include "session/auth/ed25519.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <vector>

#include "wire/writer.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;

const std::uint8_t* raw(const void* data) { return static_cast<const std::uint8_t*>(data); }

base::Result<Key> read_key(std::string_view pem) {
  const Bio bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // No passphrase: asking for one would read the terminal.
  Key key(bio ? ::PEM_read_bio_PrivateKey(
                    bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr)
              : nullptr);
  if (key && ::EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519) return key;
  return Error(ErrorCode::kInvalidArgument, "not an Ed25519 private key in PEM form");
}

Key public_key(const SigningKey& key) {
  return Key(::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
}

std::vector<std::byte> to_be_signed(std::string_view purpose, std::span<const std::byte> body) {
  std::vector<std::byte> bytes(purpose.size() + body.size());
  wire::Writer writer(bytes);
  writer.raw(std::as_bytes(std::span(purpose)));
  writer.raw(body);
  return bytes;
}

}  // namespace

base::Result<SigningKey> signing_key_of(std::string_view private_key_pem) {
  LW_ASSIGN(const Key key, read_key(private_key_pem));
  SigningKey its{};
  std::size_t size = its.size();
  if (::EVP_PKEY_get_raw_public_key(key.get(), its.data(), &size) == 1 && size == its.size())
    return its;
  return Error(ErrorCode::kInternal, "cannot take a public key from a private one");
}

base::Result<Fingerprint> fingerprint_of(const SigningKey& key) {
  const Key its = public_key(key);
  unsigned char* der = nullptr;
  const int size = its ? ::i2d_PUBKEY(its.get(), &der) : -1;
  if (size <= 0) return Error(ErrorCode::kInvalidArgument, "not a public key");
  Fingerprint fingerprint{};
  const bool hashed = ::EVP_Digest(der, static_cast<std::size_t>(size), fingerprint.data(), nullptr,
                                   ::EVP_sha256(), nullptr) == 1;
  ::OPENSSL_free(der);
  if (!hashed) return Error(ErrorCode::kInternal, "cannot hash a public key");
  return fingerprint;
}

base::Result<Signature> sign(std::string_view private_key_pem, std::string_view purpose,
                             std::span<const std::byte> body) {
  LW_ASSIGN(const Key key, read_key(private_key_pem));
  const auto text = to_be_signed(purpose, body);
  Signature signature{};
  std::size_t size = signature.size();
  const Digest digest(::EVP_MD_CTX_new());
  if (!digest || ::EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      ::EVP_DigestSign(digest.get(), reinterpret_cast<std::uint8_t*>(signature.data()), &size,
                       raw(text.data()), text.size()) != 1) {
    return Error(ErrorCode::kInternal, "cannot sign");
  }
  return signature;
}

bool is_signed(const SigningKey& its, std::string_view purpose, std::span<const std::byte> body,
               std::span<const std::byte> signature) {
  const Key key = public_key(its);
  const Digest digest(::EVP_MD_CTX_new());
  const auto text = to_be_signed(purpose, body);
  return key && digest &&
         ::EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         ::EVP_DigestVerify(digest.get(), raw(signature.data()), signature.size(), raw(text.data()),
                            text.size()) == 1;
}

}  // namespace longwire::session
