// WorkerRecord: what an agent writes down of a session before it begins, so that the next agent
// knows it, and need not believe its worker. A file of mode 0600 in the node's state directory,
// replaced whole, gone with the worker (worker_registry.h).
//
// Its head, up to where the process is named, never changes: an agent that does not know the rest
// can still end the worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "node/new_session.h"
#include "node/process_identity.h"
#include "session/handover.h"

namespace longwire::node {

// Of the record's format and of what is said over the handover socket, in one: raised with either.
inline constexpr std::uint32_t kWorkerRecordVersion = session::kHandoverVersion;
inline constexpr std::size_t kMaxRecordBytes = std::size_t{64} << 10;
inline constexpr std::size_t kMaxRecordTextBytes = 4096;  // of each string

struct WorkerRecord {
  ProcessIdentity process;
  std::string folder;  // for its temporary files; empty: it has none
  session::SessionId session{};
  session::ReclaimSecret reclaim{};
  base::Nanoseconds began_at_ns = 0;  // by the monotonic clock of that boot
  NewSession client;
};

// kLimit: a text is too long.
base::Result<std::vector<std::byte>> encode_worker_record(const WorkerRecord& record);
// kWireFault where the bytes make no sense, kUnsupported where they are of another version.
base::Result<WorkerRecord> decode_worker_record(std::span<const std::byte> bytes);
// Of a record of any version.
base::Result<ProcessIdentity> decode_recorded_process(std::span<const std::byte> bytes);

}  // namespace longwire::node
