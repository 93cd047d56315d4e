// How what is wrong with a PTX input is told: in the lines that a JIT log shows.
//
//   ptx input 1, line 12, column 5: error: unknown instruction 'frob.b32'
//       frob.b32 %r1, %r2;
#pragma once

#include <string_view>

#include "base/result.h"
#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ptx {

// Of the code kInvalidArgument (the program is wrong), kUnsupported (we lack what it asks for) or
// kLimit.
base::Error error_at(const Source& source, At at, std::string_view message,
                     base::ErrorCode code = base::ErrorCode::kInvalidArgument);

// 'text', shortened and with what is not printable shown as '?', in quotes.
std::string quoted(std::string_view text);

}  // namespace longwire::softcuda::ptx
