// Fuzzes everything that is decoded before anybody has proved who they are.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "session/handshake.h"

using namespace longwire::session;  // NOLINT(google-build-using-namespace): a fuzzer's main()

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
