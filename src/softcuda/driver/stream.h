// Stream: work in order, run by a thread of its own, which begins it though nobody waits for it.
// Who waits runs what comes next on its own thread, where the stream's has not taken it yet: that
// spares both a wake-up. A thread that has nothing to do looks for work for a moment before it
// sleeps.
//
// Threads: every member may be called from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "softcuda/driver/objects.h"
#include "softcuda/driver/operation.h"

namespace longwire::softcuda::driver {

struct Capture;

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  enum class Kind : std::uint8_t { kLegacy, kPerThread, kPlain };
  Stream(const std::shared_ptr<Context>& context, Kind kind, unsigned int flags, int priority)
      : kind_(kind), flags_(flags), priority_(priority), context_(context) {}

  // A place for one command more. To be had before any lock: only then may one wait for it, as what
  // makes room can be what another thread is about to put into another stream.
  class Room {
   public:
    explicit Room(Stream& stream);  // waits for it; who gets none in a closed stream finds it so
    ~Room();
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

   private:
    friend class Stream;
    Stream& stream_;
    bool held_ = false;  // and not used yet
  };

  // Puts work at the end. `after` are further completions to wait for. The work runs although the
  // stream is destroyed meanwhile. `out`: its completion.
  CUresult submit(Operation operation, std::vector<CompletionPtr> after = {},
                  CompletionPtr* out = nullptr);
  // The same without waiting. REQUIRES: the room is this stream's, and the stream does not capture.
  CUresult submit_into(Room& room, Operation operation, std::vector<CompletionPtr> after,
                       CompletionPtr* out);
  // The same, and waits for it.
  CUresult submit_and_wait(Operation operation);

  CUresult synchronize();
  // Waits for work that was put here before.
  void wait_for(const Completion& wanted);
  CUresult query();
  void close();  // the executor ends with the work that is there

  // The end of all work so far; nullptr: there was none.
  CompletionPtr last();

  std::shared_ptr<Context> context() const { return context_.lock(); }
  Kind kind() const noexcept { return kind_; }
  unsigned int flags() const noexcept { return flags_; }
  int priority() const noexcept { return priority_; }
  std::uint64_t id = 0;
  CUstream handle = nullptr;

  // The legacy stream's work and this one's wait for each other.
  bool blocks_with_legacy() const noexcept {
    return kind_ != Kind::kLegacy && (flags_ & CU_STREAM_NON_BLOCKING) == 0;
  }

  // What cuStreamSetAttribute has set; under its context's `order`.
  std::map<CUstreamAttrID, CUstreamAttrValue> attributes;

  // The capture that this stream is part of (capture.h); under the GraphLock.
  std::shared_ptr<Capture> capture;            // shared by its streams
  std::vector<CUgraphNode> capture_tail;       // the nodes that the next one depends on
  std::vector<CUgraphEdgeData> capture_edges;  // as many, all of them plain
  std::atomic<bool> capturing{false};          // there is one, for who need not know which

 private:
  struct Command {
    Operation operation;
    std::vector<CompletionPtr> after;
    CompletionPtr completion;
    std::shared_ptr<Context> context;
  };
  // REQUIRES: the context's `order` is held.
  void order_with_legacy(Context& context, std::vector<CompletionPtr>& after);
  static void wait_at_gates(Context& context, std::vector<CompletionPtr>& after);  // the same
  CUresult check_may_ask() const;  // whether a capture forbids to wait or to ask how far it is
  std::unique_lock<std::mutex> locked();
  bool try_take_room() noexcept;
  CUresult put(Room& room, Command command);
  bool begin_here(const CompletionPtr& completion);
  Command take();       // REQUIRES: the lock. Until ran()
  void ran();           // REQUIRES: the lock
  bool try_run_next();  // by a thread that waits; false: the executor is to do it, or does
  void run(Command& command);
  bool start_executor();
  void execute();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);  // false: none will come
  void note_work() noexcept { has_work_.store(closed_ || (!running_ && !queue_.empty())); }

  const Kind kind_;
  const unsigned int flags_;
  const int priority_;
  const std::weak_ptr<Context> context_;
  std::mutex mutex_;              // taken after the context's `order`
  std::condition_variable work_;  // for the executor
  std::condition_variable room_;  // in the queue
  std::deque<Command> queue_;
  std::atomic<std::size_t> rooms_{0};  // held, and used by the queue; fewer under the lock only
  std::size_t waiting_for_room_ = 0;
  CompletionPtr last_;
  bool running_ = false;               // a command is being run, by the executor or by a caller
  std::atomic<bool> has_work_{false};  // for the executor, which looks at it without the lock
  bool has_executor_ = false;
  bool closed_ = false;
};

// The stream that a handle stands for; nullptr: none such. Stream 0 is the legacy one, or the
// calling thread's where that form of the function was called.
std::shared_ptr<Stream> find_stream(const std::shared_ptr<Context>& context, CUstream handle);
std::shared_ptr<Stream> make_stream(const std::shared_ptr<Context>& context, Stream::Kind kind,
                                    unsigned int flags, int priority);
std::uint64_t now_ns() noexcept;

// The greatest number is the least priority.
inline constexpr int kLeastPriority = 0;
inline constexpr int kGreatestPriority = -5;
// Commands that wait in one stream; a call that would make more waits for Stream::Room.
inline constexpr std::size_t kMaxQueued = 4096;

}  // namespace longwire::softcuda::driver
