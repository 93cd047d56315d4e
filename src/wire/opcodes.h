// Control opcodes, shared by every API. Append-only: numbers are never reused (api/opcodes.lock
// holds the commands'). Commands start at kFirstCommand: OpenCL 0x1000, CUDA 0x2000, NVML 0x3000.
#pragma once

#include "wire/frame.h"

namespace longwire::wire {

enum ControlOpcode : Opcode {
  kOpAck = 1,            // unnumbered: the header's `acknowledged` is the message
  kOpPing = 2,           // unnumbered: u64 cookie
  kOpPong = 3,           // unnumbered: u64 cookie
  kOpGoodbye = 4,        // the sender has ended the session in order
  kOpFault = 5,          // u64 code, string: the sender closes the session and says why
  kOpReply = 6,          // u64 token, i32 status, then what the command's description says
  kOpEventsDone = 7,     // completions, batched: EventsDone of the API (api/opencl/messages.toml)
  kOpObjectFailed = 8,   // u64 handle, i32 status: a creation or a command without event failed
  kOpNotify = 9,         // u64 handle, u32 kind, bytes: context notification, destructor, …
  kOpStdout = 10,        // bytes that the device's kernels printed
  kOpBulkGrant = 11,     // u64 transfer: the receiver is ready for a rendezvous transfer
  kOpBulkCredit = 12,    // u64 bytes of eager staging given back
  kOpBulkData = 13,      // u64 transfer, u64 offset, bytes: a chunk, where a session has no lanes
  kOpBulkAbort = 14,     // u64 transfer, i32 status: no (more) bytes will come, or are wanted
  kOpLaneReceived = 15,  // u64 lane, u64 chunks that have come on it, u64 1: no more will
  kOpIntroduction = 16,  // what the node has, unasked, first of all (feature bit 3)
  kOpAgentAway = 17,  // u64 ms: for so long nobody may listen on the node; 0: somebody does again
  kFirstCommand = 0x1000,
};

}  // namespace longwire::wire
