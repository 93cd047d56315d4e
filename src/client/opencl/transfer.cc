#include "client/opencl/transfer.h"

#include <thread>

#include "session/bulk.h"

namespace longwire::client::opencl {

// --- reads ---

ReadUnderWay::ReadUnderWay(Enqueue& command, const Rows& rows, const TransferMode& mode)
    : node_(command.node()),
      queue_(&command.queue()),
      keep_(mode.keep),
      fence_(queue_->fence()),
      rows_(rows),
      number_(queue_->reads().begin()) {
  blob_.bytes = rows.bytes();
  if (blob_.bytes > session::kInlineBytes) {
    std::span<std::byte> destination;
    if (rows.tight()) {
      destination = rows.span();
    } else {
      packed_.reset(new (std::nothrow) std::byte[rows.bytes()]);
      destination = {packed_.get(), rows.bytes()};
    }
    ready_ = destination.data() != nullptr;
    if (!ready_) return;
    parts_ = 2;
    lanes_done_ = false;
    download_ = node_.session().expect_download(destination, [this](bool whole) {
      if (lanes_done_.exchange(true)) return;
      if (!whole) status_ = kLostCallStatus;  // the reply may have said that all is well
      parts_done(1);
    });
    blob_ = download_->blob;
  }
  if (!mode.blocking)
    ticket_ = queue_->context().runtime().pending_reads().add(rows.reach(), node_);
}

void ReadUnderWay::hold_event(Event& event) noexcept {
  event_ = Ref<Event>(&event);
  event.hold();
}

void ReadUnderWay::on_reply(const core::ReplyView& reply) noexcept {
  cl_int status = kLostCallStatus;
  if (reply.lost == nullptr) {
    status = reply.status;
    if (status == CL_SUCCESS && !download_) {
      ::longwire::opencl::msg::EnqueueReadBuffer::Reply
          answer;  // every read's reply has this shape
      decode(*reply.body, answer);
      if (answer.data.size() != blob_.bytes) reply.body->fail("data");
      if (reply.body->ok()) {
        rows_.scatter(answer.data.data());
      } else {
        status = kLostCallStatus;
      }
    }
  }
  int parts = 1;
  if (status != CL_SUCCESS) {
    status_ = status;
    if (download_) {
      node_.session().cancel_download(*download_);
      if (!lanes_done_.exchange(true)) ++parts;
    }
  }
  parts_done(parts);
}

void ReadUnderWay::parts_done(int count) noexcept {
  if (parts_.fetch_sub(count, std::memory_order_acq_rel) == count) finish();
}

void ReadUnderWay::finish() noexcept {
  const cl_int status = status_;
  if (status == CL_SUCCESS && packed_) rows_.scatter(packed_.get());
  if (ticket_) {
    queue_->context().runtime().pending_reads().remove(*ticket_);
    if (!event_ && status != CL_SUCCESS) queue_->on_failed(status);
  }
  if (event_) event_->drop_hold(status);
  queue_->reads().end(number_);
  done_.store(true, std::memory_order_release);
  node_.session().notify();
  drop();
}

void ReadUnderWay::discard() noexcept {
  if (download_) {
    node_.session().cancel_download(*download_);
    // The loss of the session may be telling us at this moment that no bytes will come.
    while (lanes_done_.exchange(true) && parts_.load(std::memory_order_acquire) > 1)
      std::this_thread::yield();
  }
  if (ticket_) queue_->context().runtime().pending_reads().remove(*ticket_);
  queue_->reads().end(number_);
  delete this;
}

cl_int ReadUnderWay::wait() noexcept {
  const bool in_order = !queue_->out_of_order();  // then the reads before this one are done as well
  const auto done = [&] {
    return done_.load(std::memory_order_acquire) && (!in_order || queue_->reads().ended(number_)) &&
           (!fence_ || fence_->done());
  };
  if (node_.wait_until(done) != CL_SUCCESS) {
    // The session is lost; whoever noticed it is about to tell on_reply().
    while (!done())
      std::this_thread::yield();
  }
  const cl_int status = status_;
  drop();
  return status;
}

void ReadUnderWay::drop() noexcept {
  if (shares_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

// --- writes ---

WriteSource::WriteSource(Enqueue& command, const Rows& rows, const TransferMode& mode)
    : rows_(rows), mode_(mode) {
  PendingReads& reads = command.context().runtime().pending_reads();
  core::NodeSession& session = command.node().session();
  follows_ = !mode.blocking && rows.bytes() != 0 && reads.overlaps(rows.reach());
  if (mode.blocking) reads.wait_for(rows.reach());
  if (!rows.tight()) packed_.reset(new (std::nothrow) std::byte[rows.bytes()]);
  ready_ = rows.tight() || packed_ != nullptr;
  if (!ready_) return;
  if (follows_) {
    blob_ = session.make_blob_for_later(rows.bytes());
  } else {
    if (packed_) rows_.gather(packed_.get());
    blob_ = session.make_blob(data());
  }
}

std::span<const std::byte> WriteSource::data() const noexcept {
  return packed_ ? std::span<const std::byte>(packed_.get(), rows_.bytes()) : rows_.span();
}

cl_int WriteSource::start(Enqueue& command) noexcept {
  if (blob_.mode == wire::BlobMode::kInline) return CL_SUCCESS;  // they went with the command
  core::NodeSession& session = command.node().session();
  if (follows_) {
    upload_when_read(command);
  } else if (mode_.blocking && !packed_) {
    if (!session.upload(blob_, data()).ok()) return kLostCallStatus;
  } else {
    session.start_upload(blob_, data(),
                         [packed = packed_, keep = MemoryHold(mode_.keep)](const base::Status&) {});
  }
  return CL_SUCCESS;
}

// The bytes arrive inside a frame handler or on a lane, neither of which may send them on.
void WriteSource::upload_when_read(Enqueue& command) {
  Node& node = command.node();
  auto send = [source = *this, &node, keep = MemoryHold(mode_.keep)] {
    if (source.packed_) source.rows_.gather(source.packed_.get());
    node.session().start_upload(source.blob_, source.data(),
                                [packed = source.packed_, keep](const base::Status&) {});
  };
  command.context().runtime().pending_reads().when_read(
      rows_.reach(), [&node, send = std::move(send)] { node.session().post(send); });
}

cl_int wait_for_list(cl_uint count, const cl_event* events) noexcept {
  const EventsInUse in_use(count, events);
  for (const cl_event handle : std::span(events, count)) {
    Event* event = from_cl<Event>(handle);
    LW_CL_TRY(event->wait());
    if (event->status() < 0) return CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
  }
  return CL_SUCCESS;
}

}  // namespace longwire::client::opencl
