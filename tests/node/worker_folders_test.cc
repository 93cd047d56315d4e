// Temporary folders of workers, when agents come and go.
#include "node/worker_folders.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <cstdlib>

namespace longwire::node {
namespace {

TEST(WorkerFoldersTest, WhatADeadAgentsWorkerHeldForAWhileGoesWithTheNextAgent) {
  char pattern[] = "/tmp/lw-folders-XXXXXX";
  const std::filesystem::path root = ::mkdtemp(pattern);
  auto first = WorkerFolders::open(root);
  ASSERT_TRUE(first.ok());
  auto folder = first->make();
  ASSERT_TRUE(folder.ok());
  const std::filesystem::path path = folder->path();
  folder->leave();
  base::UniqueFd worker(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(worker.get(), LOCK_SH), 0);
  { const WorkerFolders gone = *std::move(first); }
  {
    auto next = WorkerFolders::open(root);
    ASSERT_TRUE(next.ok());
    EXPECT_TRUE(std::filesystem::exists(path)) << "its worker lives";
    worker.reset();
  }
  EXPECT_TRUE(std::filesystem::is_empty(root));
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace longwire::node
