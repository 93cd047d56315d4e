// Fuzzes the record of a worker: a file that another process of the node's user may have written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "fuzz/target.h"
#include "node/worker_record.h"

using namespace longwire::node;  // NOLINT(google-build-using-namespace): a fuzzer's main()

namespace {

WorkerRecord record() {
  WorkerRecord one;
  one.process.boot.fill(1);
  one.process.pid = 4711;
  one.process.start_ticks = 123'456;
  one.process.session = 400;
  one.folder = "/var/cache/longwire/workers/agent-abcdef/ghijkl";
  one.session.fill(3);
  one.reclaim.fill(5);
  one.began_at_ns = 1'000'000;
  one.client.encrypted = true;
  one.client.origin = "tls:";
  one.client.version = 1;
  one.client.tenant = "lab";
  one.client.client = "anna-laptop";
  one.client.key = std::string(64, 'a');
  one.client.peer = "192.168.1.7:4711 anna-laptop pid=12";
  one.client.program = "blender";
  return one;
}

WorkerRecord granted() {
  WorkerRecord one = record();
  one.client.grant = Grant{std::string(64, 'b'), "token-1", 7, 1 << 30, 500, {"0", "gpu-1"}};
  return one;
}

}  // namespace

std::vector<longwire::fuzz::Seed> longwire::fuzz::seeds() {
  return {{"paired", *encode_worker_record(record())},
          {"granted", *encode_worker_record(granted())}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  [[maybe_unused]] const auto process = decode_recorded_process(bytes);
  const auto record = decode_worker_record(bytes);
  if (!record.ok()) return 0;
  // What was understood is encoded so that the same is understood again.
  const auto again = encode_worker_record(*record);
  if (!again.ok()) std::abort();
  const auto back = decode_worker_record(*again);
  if (!back.ok() || *encode_worker_record(*back) != *again) std::abort();
  return 0;
}
