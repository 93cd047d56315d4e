// A real session of run_program(): the client library and a worker on the fake driver, in this
// process, with what each has sent. The seeds of the targets that stand in for one of them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "client/core/node_session.h"
#include "fuzz/target.h"
#include "wire/frame.h"

namespace longwire::fuzz {

struct Message {
  wire::Opcode opcode = 0;
  Bytes payload;
};

struct Recording {
  std::vector<Message> from_client;  // numbered frames only
  std::vector<Message> from_worker;
  Bytes client_bytes;  // all that the client has sent, as frames
};
// REQUIRES: no FakeDriver exists.
Recording record_session(std::uint32_t sections);

// Runs the program against the node that `connector` leads to, as the process's one runtime.
void run_program_on(std::unique_ptr<client::core::Connector> connector, std::uint32_t sections);

}  // namespace longwire::fuzz
