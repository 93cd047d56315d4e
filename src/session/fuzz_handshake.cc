// Fuzzes everything that is decoded before anybody has proved who they are.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "fuzz/target.h"
#include "session/handshake.h"

using namespace longwire::session;  // NOLINT(google-build-using-namespace): a fuzzer's main()

namespace {

longwire::fuzz::Bytes bytes_of(const Preamble& preamble) {
  const auto bytes = encode(preamble);
  return {bytes.begin(), bytes.end()};
}

Hello hello() {
  Hello one;
  one.features = kFeatureOpenCl | kFeatureLanes | kFeatureResume;
  one.max_payload_bytes = 1 << 20;
  one.tenant = "lab";
  one.program = "blender";
  one.host = "anna-laptop";
  one.process_id = 4711;
  one.software = "longwire 0.1.0";
  return one;
}

Welcome welcome() {
  Welcome one;
  one.features = kFeatureOpenCl;
  one.session.fill(3);
  one.secret.fill(5);
  one.lanes_wanted = 4;
  one.grace_ms = 60'000;
  one.tenant = "lab";
  one.node = "box";
  return one;
}

}  // namespace

std::vector<longwire::fuzz::Seed> longwire::fuzz::seeds() {
  std::vector<Seed> all;
  for (const auto purpose :
       {Purpose::kNewSession, Purpose::kResume, Purpose::kLane, Purpose::kPairing}) {
    const std::string which = std::to_string(static_cast<int>(purpose));
    Hello its = hello();
    its.purpose = purpose;
    const bool has_session = purpose == Purpose::kResume || purpose == Purpose::kLane;
    if (has_session) its.session.fill(3);
    all.push_back({"hello" + which, encode(its)});
    all.push_back({"preamble" + which, ::bytes_of(Preamble{purpose, its.session})});
  }
  all.push_back({"welcome", encode(welcome())});
  all.push_back({"refusal", encode(Refusal{base::ErrorCode::kLimit, "too many\nsessions"})});
  return all;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  (void)decode_preamble(bytes);
  const auto length = handshake_message_bytes(bytes);
  if (length.ok() && *length > kHandshakeHeaderBytes + kMaxHelloBytes) std::abort();
  const auto hello = decode_hello(bytes);
  if (hello.ok()) {
    (void)choose_version(*hello);
    // What was understood is encoded so that it is understood again.
    if (!decode_hello(encode(*hello)).ok()) std::abort();
  }
  const auto welcome = decode_answer(bytes);
  if (welcome.ok() && !decode_answer(encode(*welcome)).ok()) std::abort();
  return 0;
}
