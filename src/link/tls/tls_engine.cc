#include "link/tls/tls_engine.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "link/tls/tls_context.h"

namespace longwire::link {
namespace {

using base::Error;
using base::ErrorCode;

// A byte queue in one piece of memory: filled at the end, taken from the front.
struct ByteQueue {
  std::vector<std::byte> memory;
  std::size_t start = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - start; }
  std::span<const std::byte> bytes() const { return std::span(memory).subspan(start, size()); }
  void take(std::size_t n) {
    start += n;
    if (start == end) start = end = 0;
  }
  std::span<std::byte> space(std::size_t wanted) {
    if (memory.size() - end < wanted && start > 0) {
      std::memmove(memory.data(), memory.data() + start, size());
      end -= start;
      start = 0;
    }
    if (memory.size() - end < wanted) memory.resize(end + wanted);
    return std::span(memory).subspan(end);
  }
};

}  // namespace

struct TlsEngine::State {
  TlsContext::Ptr context;
  ByteQueue in;   // encrypted, from the network
  ByteQueue out;  // encrypted, for the network
  SslPtr ssl;
  bool answers_early = false;  // a server with a pre-shared key
  bool answered = false;       // ... has sent its Finished
  bool handshake_done = false;
  std::optional<Error> handshake_failed;

  Error failure(int result, const char* what) const;
  base::Result<bool> answer();
  base::Result<bool> finish();
  int write(std::span<const std::byte> record, std::size_t* written);
};

// --- the BIO that OpenSSL reads from and writes to ---

namespace {

struct Queues {
  ByteQueue* in;
  ByteQueue* out;
};

Queues* queues_of(BIO* bio) { return static_cast<Queues*>(::BIO_get_data(bio)); }

int bio_read(BIO* bio, char* out, int size) {
  const auto* queues = queues_of(bio);
  ::BIO_clear_retry_flags(bio);
  const std::size_t n = std::min(static_cast<std::size_t>(size), queues->in->size());
  if (n == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(out, queues->in->bytes().data(), n);
  queues->in->take(n);
  return static_cast<int>(n);
}

int bio_write(BIO* bio, const char* data, int size) {
  const auto* queues = queues_of(bio);
  ::BIO_clear_retry_flags(bio);
  const auto n = static_cast<std::size_t>(size);
  std::memcpy(queues->out->space(n).data(), data, n);
  queues->out->end += n;
  return size;
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int bio_create(BIO* bio) {
  ::BIO_set_init(bio, 1);
  return 1;
}

int bio_destroy(BIO* bio) {
  delete queues_of(bio);
  return 1;
}

}  // namespace

BioMethodPtr make_engine_bio_method() {
  BioMethodPtr method(::BIO_meth_new(BIO_TYPE_SOURCE_SINK, "longwire"));
  if (!method) return nullptr;
  ::BIO_meth_set_read(method.get(), bio_read);
  ::BIO_meth_set_write(method.get(), bio_write);
  ::BIO_meth_set_ctrl(method.get(), bio_control);
  ::BIO_meth_set_create(method.get(), bio_create);
  ::BIO_meth_set_destroy(method.get(), bio_destroy);
  return method;
}

// --- the engine ---

base::Result<std::unique_ptr<TlsEngine>> TlsEngine::create(TlsContext::Ptr context) {
  auto state = std::make_unique<State>();
  state->ssl.reset(::SSL_new(context->state_->ctx.get()));
  BioPtr bio(::BIO_new(context->state_->bio_method.get()));
  if (!state->ssl || !bio) return openssl_error(ErrorCode::kInternal, "cannot make a TLS engine");
  ::BIO_set_data(bio.get(), new Queues{&state->in, &state->out});  // freed with the BIO
  BIO* both = bio.release();
  ::SSL_set_bio(state->ssl.get(), both, both);
  if (context->state_->role == TlsRole::kClient) {
    ::SSL_set_connect_state(state->ssl.get());
  } else {
    ::SSL_set_accept_state(state->ssl.get());
    state->answers_early = !context->state_->psk_identity.empty();
  }
  state->context = std::move(context);
  return std::unique_ptr<TlsEngine>(new TlsEngine(std::move(state)));
}

TlsEngine::TlsEngine(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsEngine::~TlsEngine() = default;

std::span<std::byte> TlsEngine::receive_space() {
  ByteQueue& in = state_->in;
  if (in.memory.empty()) in.memory.resize(kTlsReceiveBytes);
  if (in.end < in.memory.size()) return std::span(in.memory).subspan(in.end);
  return in.start > 0 ? in.space(1) : std::span<std::byte>();
}

void TlsEngine::received(std::size_t bytes) {
  LW_CHECK(bytes <= state_->in.memory.size() - state_->in.end);
  state_->in.end += bytes;
}

std::span<const std::byte> TlsEngine::to_send() const { return state_->out.bytes(); }
void TlsEngine::sent(std::size_t bytes) { state_->out.take(bytes); }

// A failed handshake or an alert: the peer is not whom we want, or we are not whom it wants.
// Anything else is a broken protocol.
Error TlsEngine::State::failure(int result, const char* what) const {
  const int kind = ::SSL_get_error(ssl.get(), result);
  if (kind == SSL_ERROR_ZERO_RETURN) {
    return Error(ErrorCode::kClosed, "the peer closed the connection");
  }
  const int reason = ERR_GET_REASON(::ERR_peek_last_error());
  const bool alert = reason >= SSL_AD_REASON_OFFSET;
  if (reason == SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_PSK_IDENTITY) {
    return openssl_error(ErrorCode::kNotFound, what);
  }
  return openssl_error(
      handshake_done && !alert ? ErrorCode::kWireFault : ErrorCode::kUnauthenticated, what);
}

base::Result<bool> TlsEngine::handshake() {
  State& s = *state_;
  return s.answers_early ? s.answer() : s.finish();
}

// OpenSSL stops behind the server's Finished for those who look for early data. Nobody may send any
// (TlsContext), so all it ever says is that there is none.
base::Result<bool> TlsEngine::State::answer() {
  if (answered) return true;
  if (handshake_failed) return *handshake_failed;
  ::ERR_clear_error();
  std::byte none{};
  std::size_t size = 0;
  const int result = ::SSL_read_early_data(ssl.get(), &none, sizeof none, &size);
  if (result == SSL_READ_EARLY_DATA_FINISH) {
    answered = true;
    return true;
  }
  const int kind = ::SSL_get_error(ssl.get(), 0);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return false;
  handshake_failed = failure(0, "TLS handshake");
  return *handshake_failed;
}

// To the end: the other side's Finished has come, and was right.
base::Result<bool> TlsEngine::State::finish() {
  if (handshake_done) return true;
  if (handshake_failed) return *handshake_failed;
  ::ERR_clear_error();
  const int result = ::SSL_do_handshake(ssl.get());
  if (result == 1) {
    handshake_done = true;
    return true;
  }
  const int kind = ::SSL_get_error(ssl.get(), result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return false;
  handshake_failed = failure(result, "TLS handshake");
  return *handshake_failed;
}

base::Result<std::size_t> TlsEngine::read(std::span<std::byte> out) {
  State& s = *state_;
  LW_ASSIGN(const bool finished, s.finish());
  if (!finished) return 0;
  std::size_t total = 0;
  while (total < out.size()) {
    ::ERR_clear_error();
    std::size_t n = 0;
    const int result = ::SSL_read_ex(s.ssl.get(), out.data() + total, out.size() - total, &n);
    if (result == 1) {
      total += n;
      continue;
    }
    const int kind = ::SSL_get_error(s.ssl.get(), result);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE || total > 0) break;
    return s.failure(result, "TLS");
  }
  return total;
}

int TlsEngine::State::write(std::span<const std::byte> record, std::size_t* written) {
  if (handshake_done) return ::SSL_write_ex(ssl.get(), record.data(), record.size(), written);
  return ::SSL_write_early_data(ssl.get(), record.data(), record.size(), written);
}

base::Result<std::size_t> TlsEngine::write(std::span<const std::byte> data) {
  State& s = *state_;
  std::size_t total = 0;
  while (total < data.size() && s.out.size() < kTlsPendingBytes) {
    ::ERR_clear_error();
    std::size_t n = 0;
    const std::size_t record = std::min(data.size() - total, kTlsRecordBytes);
    const int result = s.write(data.subspan(total, record), &n);
    if (result != 1) return s.failure(result, "TLS");
    total += n;
  }
  return total;
}

bool TlsEngine::readable() const {
  return state_->in.size() > 0 || ::SSL_pending(state_->ssl.get()) > 0;
}

void TlsEngine::close() {
  ::ERR_clear_error();
  if (state_->handshake_done) (void)::SSL_shutdown(state_->ssl.get());
}

std::optional<Fingerprint> TlsEngine::peer_fingerprint() const {
  const X509Ptr certificate(::SSL_get1_peer_certificate(state_->ssl.get()));
  if (!certificate) return std::nullopt;
  const auto fingerprint = fingerprint_of(certificate.get());
  return fingerprint.ok() ? std::optional(*fingerprint) : std::nullopt;
}

std::vector<std::byte> TlsEngine::peer_note() const {
  const X509Ptr certificate(::SSL_get1_peer_certificate(state_->ssl.get()));
  return note_of(certificate.get());
}

base::Result<KeyingMaterial> TlsEngine::export_keying_material(std::string_view label) const {
  KeyingMaterial material;
  if (::SSL_export_keying_material(state_->ssl.get(), material.data(), material.size(),
                                   label.data(), label.size(), nullptr, 0, 0) != 1) {
    return openssl_error(ErrorCode::kInternal, "cannot export keying material");
  }
  return material;
}

}  // namespace longwire::link
