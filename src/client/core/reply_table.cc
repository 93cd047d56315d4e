#include "client/core/reply_table.h"

namespace longwire::client::core {

bool ReplyTable::add(PendingReply& pending) noexcept {
  const std::lock_guard lock(lock_);
  if (count_ == kMaxPendingReplies) return false;
  pending.token = ++last_token_;
  PendingReply*& head = bucket(pending.token);
  pending.next = head;
  head = &pending;
  ++count_;
  return true;
}

PendingReply* ReplyTable::take(wire::Token token) noexcept {
  const std::lock_guard lock(lock_);
  for (PendingReply** link = &bucket(token); *link != nullptr; link = &(*link)->next) {
    PendingReply* const found = *link;
    if (found->token != token) continue;
    *link = found->next;
    --count_;
    return found;
  }
  return nullptr;
}

PendingReply* ReplyTable::take_any() noexcept {
  const std::lock_guard lock(lock_);
  for (PendingReply*& head : buckets_) {
    if (head == nullptr) continue;
    PendingReply* const found = head;
    head = found->next;
    --count_;
    return found;
  }
  return nullptr;
}

void complete(PendingReply& pending, const ReplyView& reply) {
  (*pending.handler)(reply);
  if (pending.is_owned) {
    delete &pending;
  } else {
    pending.done.store(true, std::memory_order_release);
  }
}

}  // namespace longwire::client::core
