#include "node/worker_record.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "wire/owned.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::node {
namespace {

using base::Error;
using base::ErrorCode;
using wire::Reader;

constexpr std::string_view kMagic = "LWWORKER";

template <class Out, std::size_t N>
void put(Out& out, const std::array<std::uint8_t, N>& bytes) {
  out.raw(std::as_bytes(std::span(bytes)));
}

template <class Out>
void put(Out& out, const Grant& grant) {
  out.string(grant.issuer);
  out.string(grant.id);
  out.u64(grant.epoch);
  out.u64(grant.memory_bytes);
  out.u64(grant.share_permille);
  out.u64(grant.devices.size());
  for (const std::string& device : grant.devices)
    out.string(device);
}

template <class Out>
void put(Out& out, const NewSession& client) {
  out.u64(client.encrypted ? 1 : 0);
  out.u64(client.version);
  out.u64(client.features);
  out.u64(client.max_payload_bytes);
  for (const std::string* text : {&client.origin, &client.tenant, &client.client, &client.key,
                                  &client.peer, &client.program}) {
    out.string(*text);
  }
  out.u64(client.grant ? 1 : 0);
  if (client.grant) put(out, *client.grant);
}

template <class Out>
void put(Out& out, const WorkerRecord& record) {
  out.raw(std::as_bytes(std::span(kMagic)));
  out.u64(kWorkerRecordVersion);
  put(out, record.process.boot);
  out.u64(static_cast<std::uint64_t>(record.process.pid));
  out.u64(record.process.start_ticks);
  out.u64(static_cast<std::uint64_t>(record.process.session));
  // So far the same in every version.
  put(out, record.session);
  put(out, record.reclaim);
  out.u64(static_cast<std::uint64_t>(record.began_at_ns));
  out.string(record.folder);
  put(out, record.client);
}

std::string take_text(Reader& in, const char* what) {
  return wire::take_text(in, kMaxRecordTextBytes, what);
}

template <class T>
T take_number(Reader& in, const char* what) {
  const std::uint64_t value = in.u64(what);
  if (value > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) in.fail(what);
  return in.ok() ? static_cast<T>(value) : T{};
}

bool take_flag(Reader& in, const char* what) {
  const std::uint64_t value = in.u64(what);
  if (value > 1) in.fail(what);
  return value == 1;
}

Grant take_grant(Reader& in) {
  Grant grant;
  grant.issuer = take_text(in, "issuer");
  grant.id = take_text(in, "token");
  grant.epoch = in.u64("epoch");
  grant.memory_bytes = in.u64("memory_bytes");
  grant.share_permille = take_number<std::uint32_t>(in, "share_permille");
  const std::size_t devices = in.count(8, "devices");
  if (devices > session::kMaxHandoverDevices) in.fail("devices");
  for (std::size_t i = 0; in.ok() && i < devices; ++i)
    grant.devices.push_back(take_text(in, "device"));
  return grant;
}

NewSession take_client(Reader& in) {
  NewSession client;
  client.encrypted = take_flag(in, "encrypted");
  client.version = take_number<std::uint16_t>(in, "protocol");
  client.features = in.u64("features");
  client.max_payload_bytes = take_number<std::uint32_t>(in, "max_payload_bytes");
  client.origin = take_text(in, "origin");
  client.tenant = take_text(in, "tenant");
  client.client = take_text(in, "client");
  client.key = take_text(in, "key");
  client.peer = take_text(in, "peer");
  client.program = take_text(in, "program");
  if (client.tenant.empty()) in.fail("tenant");
  if (take_flag(in, "grant")) client.grant = take_grant(in);
  return client;
}

struct Head {
  std::uint64_t version = 0;
  ProcessIdentity process;
};

Head take_head(Reader& in) {
  Head head;
  const auto magic = in.raw(kMagic.size(), "magic");
  if (!std::ranges::equal(magic, std::as_bytes(std::span(kMagic)))) in.fail("magic");
  head.version = in.u64("version");
  head.process.boot = wire::take_array<16>(in, "boot");
  head.process.pid = take_number<pid_t>(in, "pid");
  head.process.start_ticks = in.u64("start_ticks");
  head.process.session = take_number<pid_t>(in, "process_session");
  if (head.process.pid <= 1) in.fail("pid");  // 0, 1 and -1 are not a worker's
  return head;
}

bool fits(const WorkerRecord& record) {
  const NewSession& client = record.client;
  const auto ok = [](const std::string& text) { return text.size() <= kMaxRecordTextBytes; };
  if (client.grant) {
    const Grant& grant = *client.grant;
    if (!ok(grant.issuer) || !ok(grant.id) || !std::ranges::all_of(grant.devices, ok) ||
        grant.devices.size() > session::kMaxHandoverDevices) {
      return false;
    }
  }
  return ok(record.folder) && ok(client.origin) && ok(client.tenant) && ok(client.client) &&
         ok(client.key) && ok(client.peer) && ok(client.program);
}

}  // namespace

base::Result<std::vector<std::byte>> encode_worker_record(const WorkerRecord& record) {
  wire::Sizer sizer;
  put(sizer, record);
  if (!fits(record) || sizer.size() > kMaxRecordBytes) {
    return Error(ErrorCode::kLimit, "too long for a worker's record");
  }
  std::vector<std::byte> bytes(sizer.size());
  wire::Writer writer(bytes);
  put(writer, record);
  return bytes;
}

base::Result<WorkerRecord> decode_worker_record(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxRecordBytes) return Error(ErrorCode::kWireFault, "record too long");
  Reader in(bytes);
  Head head = take_head(in);
  if (in.ok() && head.version != kWorkerRecordVersion) {
    return Error(ErrorCode::kUnsupported, "its worker is of version " +
                                              std::to_string(head.version) + ", this agent of " +
                                              std::to_string(kWorkerRecordVersion));
  }
  WorkerRecord record;
  record.process = head.process;
  record.session = wire::take_array<16>(in, "session");
  record.reclaim = wire::take_array<32>(in, "reclaim");
  record.began_at_ns = take_number<base::Nanoseconds>(in, "began_at_ns");
  record.folder = take_text(in, "folder");
  record.client = take_client(in);
  if (in.remaining() > 0) in.fail("end");
  LW_TRY(in.finish());
  return record;
}

base::Result<ProcessIdentity> decode_recorded_process(std::span<const std::byte> bytes) {
  Reader in(bytes);
  const Head head = take_head(in);
  LW_TRY(in.finish());
  return head.process;
}

}  // namespace longwire::node
