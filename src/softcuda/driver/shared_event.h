// An event that several processes record and wait for (CU_EVENT_INTERPROCESS): a page that all of
// them have, in which records are counted and their ends noted.
//
// Threads: every member may be called from any thread of any process.
#pragma once

#include <cstdint>
#include <memory>

#include "softcuda/driver/ipc.h"

namespace longwire::softcuda::driver {

class SharedEvent {
 public:
  // nullptr: there is no memory for one.
  static std::shared_ptr<SharedEvent> create();
  // What another process has; nullptr: it cannot be mapped.
  static std::shared_ptr<SharedEvent> of(IpcFile file);
  ~SharedEvent();
  SharedEvent(const SharedEvent&) = delete;
  SharedEvent& operator=(const SharedEvent&) = delete;

  // The number of a record that this process puts into a stream now. Waits where very many are
  // under way.
  std::uint64_t begin();
  // It has come to its end there.
  void end(std::uint64_t number);
  // The last record so far, of any process; 0: none.
  std::uint64_t last() const noexcept;
  bool has_ended(std::uint64_t number) const noexcept;
  // CUDA_ERROR_OPERATING_SYSTEM: the process that recorded it is no more, and never will end it.
  CUresult wait(std::uint64_t number) const noexcept;

  const IpcFile& file() const noexcept { return file_; }

 private:
  struct Page;
  SharedEvent(IpcFile file, Page* page) : file_(std::move(file)), page_(page) {}

  const IpcFile file_;
  Page* const page_;
};

}  // namespace longwire::softcuda::driver
