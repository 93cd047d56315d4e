// What every kOpReply frame begins with; the reply's own fields (msg::X::Reply) follow.
#pragma once

#include <cstdint>

#include "wire/fields.h"
#include "wire/frame.h"

namespace longwire::wire {

struct ReplyHeader {
  Token token = 0;
  std::int32_t status = 0;  // the API's own code; when it is an error, the fields may be absent
};

inline constexpr std::size_t kReplyHeaderBytes = 16;

template <class Out>
void put_reply_header(Out& out, const ReplyHeader& header) {
  out.u64(header.token);
  put_i32(out, header.status);
}
inline ReplyHeader get_reply_header(Reader& in) {
  ReplyHeader header;
  header.token = in.u64("token");
  header.status = get_i32(in, "status");
  return header;
}

}  // namespace longwire::wire
