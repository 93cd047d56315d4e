#include "client/opencl/transfer.h"

#include <thread>

#include "session/bulk.h"

namespace longwire::client::opencl {

// --- reads
// ------------------------------------------------------------------------------------------

ReadUnderWay::ReadUnderWay(Enqueue& command, const Rows& rows, const TransferMode& mode)
    : node_(command.node()),
      queue_(&command.queue()),
      keep_(mode.keep),
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
    download_ = node_.session().expect_download(destination, [this] {
      if (!lanes_done_.exchange(true)) parts_done(1);
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
  if (download_) node_.session().cancel_download(*download_);
  if (ticket_) queue_->context().runtime().pending_reads().remove(*ticket_);
  queue_->reads().end(number_);
  delete this;
}

cl_int ReadUnderWay::wait() noexcept {
  const bool in_order = !queue_->out_of_order();  // then the reads before this one are done as well
  const auto done = [&] {
    return done_.load(std::memory_order_acquire) && (!in_order || queue_->reads().ended(number_));
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

// --- writes
// -----------------------------------------------------------------------------------------

WriteSource::WriteSource(Enqueue& command, const Rows& rows) {
  command.context().runtime().pending_reads().wait_for(rows.reach());
  if (rows.tight()) {
    data_ = rows.span();
  } else {
    packed_.reset(new (std::nothrow) std::byte[rows.bytes()]);
    if (packed_ == nullptr) return;
    rows.gather(packed_.get());
    data_ = {packed_.get(), rows.bytes()};
  }
  blob_ = command.node().session().make_blob(data_);
}

cl_int WriteSource::start(Enqueue& command, const TransferMode& mode) noexcept {
  Node& node = command.node();
  if (blob_.mode != wire::BlobMode::kInline) {
    if (mode.blocking && !packed_) {
      if (!node.session().upload(blob_, data_).ok()) return kLostCallStatus;
    } else {
      node.session().start_upload(
          blob_, data_, [packed = packed_, keep = MemoryHold(mode.keep)](const base::Status&) {});
    }
  }
  return mode.blocking ? node.flush() : CL_SUCCESS;
}

cl_int wait_for_list(cl_uint count, const cl_event* events) noexcept {
  for (const cl_event handle : std::span(events, count)) {
    Event* event = from_cl<Event>(handle);
    LW_CL_TRY(event->wait());
    if (event->status() < 0) return CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
  }
  return CL_SUCCESS;
}

}  // namespace longwire::client::opencl
