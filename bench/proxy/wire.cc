#include "wire.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

#include "net/sockets.h"

namespace longwire::bench {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
constexpr std::size_t kLeastChunkBytes = 1448;  // a packet
constexpr std::size_t kMostChunkBytes = std::size_t{256} << 10;
constexpr double kChunkSeconds = 100e-6;  // of a cable's time
constexpr std::size_t kQueueBytes = std::size_t{256} << 10;
constexpr std::size_t kUnlimitedBytes = std::size_t{128} << 20;  // 70 ms at 3.6 GB/s

// Up to two parts, as the ring wraps around. Returns how many.
int parts(char* data, std::size_t size, std::uint64_t at, std::size_t bytes, iovec (&out)[2]) {
  const std::size_t start = at % size;
  const std::size_t first = std::min(bytes, size - start);
  out[0] = {data + start, first};
  out[1] = {data, bytes - first};
  return bytes > first ? 2 : 1;
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

std::size_t Cable::most_bytes() const {
  if (shape_.bytes_per_second <= 0) return kMostChunkBytes;
  const auto bytes = static_cast<std::size_t>(shape_.bytes_per_second * kChunkSeconds);
  return std::clamp(bytes, kLeastChunkBytes, kMostChunkBytes);
}

Nanoseconds Cable::enter(std::size_t bytes, Nanoseconds now) {
  if (shape_.bytes_per_second <= 0) return now + shape_.delay_ns;
  const double took = static_cast<double>(bytes) / shape_.bytes_per_second * kNanosecondsPerSecond;
  free_at_ = std::max(now, free_at_) + static_cast<Nanoseconds>(took);
  return free_at_ + shape_.delay_ns;
}

std::size_t Cable::capacity() const {
  if (shape_.bytes_per_second <= 0) return kUnlimitedBytes;
  const double on_the_way =
      shape_.bytes_per_second * static_cast<double>(shape_.delay_ns) / kNanosecondsPerSecond;
  return std::min(static_cast<std::size_t>(on_the_way) + kQueueBytes, kUnlimitedBytes);
}

Pipe::Ring::Ring(std::size_t bytes) : data(nullptr), size(bytes) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  data = static_cast<char*>(memory);
}

Pipe::Ring::~Ring() { ::munmap(data, size); }

Pipe::Pipe(int from, int to, Cable& cable)
    : from_(from), to_(to), cable_(cable), ring_(cable.capacity()) {}

ssize_t Pipe::read_some(std::size_t most) {
  if (held() == 0) in_ = out_ = 0;  // the start of the ring is in the cache
  iovec vectors[2];
  const int count = parts(ring_.data, ring_.size, in_, most, vectors);
  return ::readv(from_, vectors, count);
}

ssize_t Pipe::write_some(std::size_t most) {
  iovec vectors[2];
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = static_cast<std::size_t>(parts(ring_.data, ring_.size, out_, most, vectors));
  return ::sendmsg(to_, &message, MSG_NOSIGNAL);
}

bool Pipe::fill(Nanoseconds now) {
  if (!wants_in() || cable_.opens_at() > now) return true;
  const ssize_t got = read_some(std::min(cable_.most_bytes(), ring_.size - held()));
  if (got < 0) return would_block();
  ended_ = got == 0;
  in_ += static_cast<std::uint64_t>(got);
  marks_.push_back({in_, cable_.enter(static_cast<std::size_t>(got), now)});
  return true;
}

bool Pipe::drain(Nanoseconds now) {
  while (!blocked_ && !marks_.empty() && marks_.front().due_at <= now) {
    std::size_t due = 1;
    while (due < marks_.size() && marks_[due].due_at <= now)
      ++due;
    const auto bytes = static_cast<std::size_t>(marks_[due - 1].end - out_);
    const ssize_t put = bytes == 0 ? 0 : write_some(bytes);
    if (put < 0 && !would_block()) return false;
    blocked_ = put < static_cast<ssize_t>(bytes);
    out_ += static_cast<std::uint64_t>(std::max<ssize_t>(put, 0));
    while (!marks_.empty() && marks_.front().end <= out_)
      marks_.pop_front();
  }
  if (ended_ && marks_.empty() && !closed_) {
    closed_ = true;
    ::shutdown(to_, SHUT_WR);
  }
  return true;
}

}  // namespace longwire::bench
