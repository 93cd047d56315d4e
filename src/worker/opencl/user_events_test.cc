// User events that a client lets go of.
#include "worker/opencl/worker_test.h"

namespace longwire::worker::opencl {
namespace {

using testing::pattern;
using testing::WorkerTest;

// Found by fuzz_worker: the end of the session waited for it in vain.
TEST_F(WorkerTest, WhatWaitsForAUserEventThatNobodyCanSetAnyMoreFails) {
  const Handle user = create_user_event();
  const Handle waiting =
      write(create_buffer(64), wire::Blob::inlined(pattern(8)), wire::U64View(&user, 1));
  msg::ReleaseObject m;
  m.object = user;
  client->send(m);
  ASSERT_TRUE(client->await_event(waiting));
  EXPECT_EQ(client->events.at(waiting).status, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
}

}  // namespace
}  // namespace longwire::worker::opencl
