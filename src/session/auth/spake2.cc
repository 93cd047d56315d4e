#include "session/auth/spake2.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

template <auto Free>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Group = std::unique_ptr<EC_GROUP, OpensslFree<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, OpensslFree<EC_POINT_clear_free>>;
using Number = std::unique_ptr<BIGNUM, OpensslFree<BN_clear_free>>;
using NumberContext = std::unique_ptr<BN_CTX, OpensslFree<BN_CTX_free>>;

using Bytes = std::vector<std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;

// RFC 9382, 6: M and N of P-256, compressed.
constexpr const char* kM = "02886E2F97ACE46E55BA9DD7242579F2993B64E16EF3DCAB95AFD497333D8FA12F";
constexpr const char* kN = "03D8BBD6C639C62937B04D997F38C3770719C629D7014D49A24B4F98BAA1292B49";

constexpr std::uint64_t kScryptN = 1 << 14;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 1;
constexpr std::uint64_t kScryptMemory = std::uint64_t{64} << 20;
constexpr std::size_t kPasswordBytes = 48;  // more than the order has, so that "mod" has no bias

Error crypto_failed() { return Error(ErrorCode::kInternal, "SPAKE2: OpenSSL failed"); }

struct Curve {
  Curve()
      : group(::EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)), context(::BN_CTX_secure_new()) {
    LW_CHECK(group && context);  // of a library that is linked in
  }
  Point point() const { return Point(::EC_POINT_new(group.get())); }
  Point point_from_hex(const char* hex) const {
    return Point(::EC_POINT_hex2point(group.get(), hex, nullptr, context.get()));
  }
  // scalar * base, and scalar * generator where base is null.
  bool multiply(EC_POINT* result, const BIGNUM* scalar, const EC_POINT* base) const {
    return base != nullptr
               ? ::EC_POINT_mul(group.get(), result, nullptr, base, scalar, context.get()) == 1
               : ::EC_POINT_mul(group.get(), result, scalar, nullptr, nullptr, context.get()) == 1;
  }
  bool add(EC_POINT* result, const EC_POINT* other) const {
    return ::EC_POINT_add(group.get(), result, result, other, context.get()) == 1;
  }
  bool negate(EC_POINT* point) const {
    return ::EC_POINT_invert(group.get(), point, context.get()) == 1;
  }
  bool encode(const EC_POINT* point, Spake2Share& out) const {
    return ::EC_POINT_point2oct(group.get(), point, POINT_CONVERSION_UNCOMPRESSED, out.data(),
                                out.size(), context.get()) == out.size();
  }
  const BIGNUM* order() const { return ::EC_GROUP_get0_order(group.get()); }

  Group group;
  NumberContext context;
};

Number number_of(const Spake2Scalar& bytes) {
  Number number(::BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  if (number) ::BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

template <class Range>
void append_field(Bytes& transcript, const Range& field) {
  for (std::size_t i = 0; i < 8; ++i) {  // the length, little-endian
    transcript.push_back(
        static_cast<std::uint8_t>(static_cast<std::uint64_t>(std::size(field)) >> (8 * i)));
  }
  transcript.insert(transcript.end(), std::begin(field), std::end(field));
}

bool hkdf_sha256(std::span<const std::uint8_t> key, std::string_view info,
                 std::span<std::uint8_t> out) {
  EVP_KDF* kdf = ::EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* context = ::EVP_KDF_CTX_new(kdf);
  ::EVP_KDF_free(kdf);
  char digest[] = "SHA256";
  // OpenSSL only reads them.
  OSSL_PARAM params[] = {::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                         ::OSSL_PARAM_construct_octet_string(
                             OSSL_KDF_PARAM_KEY, const_cast<std::uint8_t*>(key.data()), key.size()),
                         ::OSSL_PARAM_construct_octet_string(
                             OSSL_KDF_PARAM_INFO, const_cast<char*>(info.data()), info.size()),
                         ::OSSL_PARAM_construct_end()};
  const bool ok = ::EVP_KDF_derive(context, out.data(), out.size(), params) == 1;
  ::EVP_KDF_CTX_free(context);
  return ok;
}

bool hmac_sha256(std::span<const std::uint8_t> key, const Bytes& data, Digest& out) {
  unsigned size = static_cast<unsigned>(out.size());
  return ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(),
                out.data(), &size) != nullptr;
}

}  // namespace

struct Spake2::State {
  ~State() {
    ::OPENSSL_cleanse(password.data(), password.size());
    ::OPENSSL_cleanse(expected.data(), expected.size());
  }

  bool make_share();
  bool find_key(const EC_POINT* peer_point, Spake2Share& key) const;
  bool confirm(const Spake2Share& peer_share, const Spake2Share& key);
  const char* own_mask() const { return role == Spake2Role::kA ? kM : kN; }
  const char* peer_mask() const { return role == Spake2Role::kA ? kN : kM; }

  Curve curve;
  Spake2Role role = Spake2Role::kA;
  Spake2Identities identities;
  Spake2Scalar password{};
  Number w;
  Number secret;
  Spake2Share share{};
  Spake2Confirmation own{};
  Spake2Confirmation expected{};
  bool ready = false;
};

// w * mask + secret * generator.
bool Spake2::State::make_share() {
  const Point mask = curve.point_from_hex(own_mask());
  const Point masked = curve.point();
  const Point sum = curve.point();
  return mask && masked && sum && curve.multiply(sum.get(), secret.get(), nullptr) &&
         curve.multiply(masked.get(), w.get(), mask.get()) && curve.add(sum.get(), masked.get()) &&
         curve.encode(sum.get(), share);
}

// secret * (peer - w * mask). The cofactor of P-256 is 1.
bool Spake2::State::find_key(const EC_POINT* peer_point, Spake2Share& key) const {
  const Point mask = curve.point_from_hex(peer_mask());
  const Point masked = curve.point();
  const Point product = curve.point();
  return mask && masked && product && curve.multiply(masked.get(), w.get(), mask.get()) &&
         curve.negate(masked.get()) && curve.add(masked.get(), peer_point) &&
         curve.multiply(product.get(), secret.get(), masked.get()) &&
         ::EC_POINT_is_at_infinity(curve.group.get(), product.get()) == 0 &&
         curve.encode(product.get(), key);
}

// RFC 9382, 3.3 and 4.
bool Spake2::State::confirm(const Spake2Share& peer_share, const Spake2Share& key) {
  const bool is_a = role == Spake2Role::kA;
  Bytes transcript;
  append_field(transcript, identities.a);
  append_field(transcript, identities.b);
  append_field(transcript, is_a ? share : peer_share);
  append_field(transcript, is_a ? peer_share : share);
  append_field(transcript, key);
  append_field(transcript, password);
  Digest hash;
  Digest confirmation_keys;
  const std::span<const std::uint8_t> ka = std::span(hash).subspan(16);
  const bool hashed =
      ::EVP_Digest(transcript.data(), transcript.size(), hash.data(), nullptr, ::EVP_sha256(),
                   nullptr) == 1 &&
      hkdf_sha256(ka, "ConfirmationKeys" + identities.additional_data, confirmation_keys);
  const auto key_a = std::span(confirmation_keys).first(16);
  const auto key_b = std::span(confirmation_keys).subspan(16);
  const bool ok = hashed && hmac_sha256(is_a ? key_a : key_b, transcript, own) &&
                  hmac_sha256(is_a ? key_b : key_a, transcript, expected);
  ::OPENSSL_cleanse(transcript.data(), transcript.size());
  ::OPENSSL_cleanse(hash.data(), hash.size());
  ::OPENSSL_cleanse(confirmation_keys.data(), confirmation_keys.size());
  return ok;
}

base::Result<Spake2> Spake2::start(Spake2Role role, const Spake2Scalar& password_scalar,
                                   Spake2Identities identities, base::Random& random) {
  const Curve curve;
  const Number order(::BN_dup(curve.order()));
  Spake2Scalar secret;
  for (;;) {  // in practice the first is in range
    random.fill(std::as_writable_bytes(std::span(secret)));
    const Number number = number_of(secret);
    if (!number) return crypto_failed();
    if (!BN_is_zero(number.get()) && ::BN_cmp(number.get(), order.get()) < 0) break;
  }
  auto started = start_with(role, password_scalar, std::move(identities), secret);
  ::OPENSSL_cleanse(secret.data(), secret.size());
  return started;
}

base::Result<Spake2> Spake2::start_with(Spake2Role role, const Spake2Scalar& password_scalar,
                                        Spake2Identities identities, const Spake2Scalar& secret) {
  auto state = std::make_unique<State>();
  state->role = role;
  state->identities = std::move(identities);
  state->password = password_scalar;
  state->w = number_of(password_scalar);
  state->secret = number_of(secret);
  if (!state->w || !state->secret || !state->make_share()) return crypto_failed();
  return Spake2(std::move(state));
}

Spake2::Spake2(std::unique_ptr<State> state) : state_(std::move(state)) {}
Spake2::Spake2(Spake2&&) noexcept = default;
Spake2& Spake2::operator=(Spake2&&) noexcept = default;
Spake2::~Spake2() = default;

const Spake2Share& Spake2::share() const noexcept { return state_->share; }

Status Spake2::receive_share(std::span<const std::byte> peer_share) {
  State& s = *state_;
  const auto bad = [] { return Error(ErrorCode::kWireFault, "SPAKE2: not a point of the curve"); };
  Spake2Share share;
  if (peer_share.size() != share.size()) return bad();
  std::ranges::transform(peer_share, share.begin(),
                         [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  const Point point = s.curve.point();
  // Checks that the point is on the curve.
  if (!point || ::EC_POINT_oct2point(s.curve.group.get(), point.get(), share.data(), share.size(),
                                     s.curve.context.get()) != 1) {
    return bad();
  }
  Spake2Share key;
  if (!s.find_key(point.get(), key)) return bad();
  const bool confirmed = s.confirm(share, key);
  ::OPENSSL_cleanse(key.data(), key.size());
  if (!confirmed) return crypto_failed();
  s.ready = true;
  return {};
}

const Spake2Confirmation& Spake2::confirmation() const noexcept {
  LW_CHECK(state_->ready);
  return state_->own;
}

bool Spake2::peer_confirms(std::span<const std::byte> confirmation) const noexcept {
  LW_CHECK(state_->ready);
  return confirmation.size() == state_->expected.size() &&
         ::CRYPTO_memcmp(confirmation.data(), state_->expected.data(), confirmation.size()) == 0;
}

base::Result<Spake2Scalar> password_scalar(std::string_view code, std::string_view salt) {
  std::array<unsigned char, kPasswordBytes> stretched;
  if (::EVP_PBE_scrypt(code.data(), code.size(),
                       reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), kScryptN,
                       kScryptR, kScryptP, kScryptMemory, stretched.data(),
                       stretched.size()) != 1) {
    return crypto_failed();
  }
  const Curve curve;
  const Number number(::BN_bin2bn(stretched.data(), static_cast<int>(stretched.size()), nullptr));
  const Number reduced(::BN_new());
  Spake2Scalar scalar;
  const bool ok =
      number && reduced &&
      ::BN_nnmod(reduced.get(), number.get(), curve.order(), curve.context.get()) == 1 &&
      ::BN_bn2binpad(reduced.get(), scalar.data(), static_cast<int>(scalar.size())) ==
          static_cast<int>(scalar.size());
  ::OPENSSL_cleanse(stretched.data(), stretched.size());
  if (!ok) return crypto_failed();
  return scalar;
}

}  // namespace longwire::session
