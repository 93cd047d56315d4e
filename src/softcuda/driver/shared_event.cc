#include "softcuda/driver/shared_event.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

namespace longwire::softcuda::driver {
namespace {

// Records under way at once; one more waits for the end of the one whose place it takes.
constexpr std::size_t kRecords = 128;
// How often who waits looks whether there still is somebody to wait for.
constexpr long kLookNs = 50'000'000;

struct Record {
  std::atomic<std::uint64_t> ended;   // the greatest number of this place that has
  std::atomic<std::int64_t> process;  // that took the place last
};

template <class T>
void raise_to(std::atomic<T>& place, T value) noexcept {
  T now = place.load();
  while (now < value && !place.compare_exchange_weak(now, value)) {
  }
}

bool is_gone(std::int64_t process) noexcept {
  if (process <= 0 || process > INT_MAX) return true;
  return ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
}

}  // namespace

struct SharedEvent::Page {
  std::atomic<std::uint64_t> taken;  // numbers that have been given
  std::atomic<std::uint64_t> last;   // the greatest one that others may wait for
  std::atomic<std::uint32_t> ends;   // counts, for who sleeps
  std::array<Record, kRecords> records;
  Record& record(std::uint64_t number) noexcept { return records[number % kRecords]; }
};

std::shared_ptr<SharedEvent> SharedEvent::of(IpcFile file) {
  static_assert(sizeof(Page) <= kFilePage && std::atomic<std::uint64_t>::is_always_lock_free);
  if (file.trailer.bytes != sizeof(Page)) return nullptr;
  void* page = ::mmap(nullptr, kFilePage, PROT_READ | PROT_WRITE, MAP_SHARED, file.file->fd(), 0);
  if (page == MAP_FAILED) return nullptr;
  return std::shared_ptr<SharedEvent>(new SharedEvent(std::move(file), static_cast<Page*>(page)));
}

std::shared_ptr<SharedEvent> SharedEvent::create() {
  IpcFile made;
  made.trailer.magic = kIpcEventFile;
  made.trailer.bytes = sizeof(Page);
  made.file = make_exported_file(made.trailer);
  return made.file == nullptr ? nullptr : of(std::move(made));
}

SharedEvent::~SharedEvent() { ::munmap(page_, kFilePage); }

std::uint64_t SharedEvent::begin() {
  const std::uint64_t number = page_->taken.fetch_add(1) + 1;
  Record& place = page_->record(number);
  if (number > kRecords) {
    (void)wait(number - kRecords);
    raise_to(place.ended, number - kRecords);  // also where its process is no more
  }
  place.process.store(::getpid());
  raise_to(page_->last, number);
  return number;
}

void SharedEvent::end(std::uint64_t number) {
  raise_to(page_->record(number).ended, number);
  page_->ends.fetch_add(1);
  ::syscall(SYS_futex, &page_->ends, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

std::uint64_t SharedEvent::last() const noexcept { return page_->last.load(); }

bool SharedEvent::has_ended(std::uint64_t number) const noexcept {
  return page_->record(number).ended.load() >= number;
}

CUresult SharedEvent::wait(std::uint64_t number) const noexcept {
  for (;;) {
    const std::uint32_t ends = page_->ends.load();
    if (has_ended(number)) return CUDA_SUCCESS;
    const timespec look{0, kLookNs};
    const long status = ::syscall(SYS_futex, &page_->ends, FUTEX_WAIT, ends, &look, nullptr, 0);
    if (status != 0 && errno == ETIMEDOUT && is_gone(page_->record(number).process.load()) &&
        !has_ended(number))
      return CUDA_ERROR_OPERATING_SYSTEM;
  }
}

}  // namespace longwire::softcuda::driver
