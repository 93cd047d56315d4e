// What a user does to this machine's node with a command, in the node's audit log. The node itself
// sees only that a file has changed.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "node/journal.h"

namespace longwire::app {

// Best effort: a line that cannot be written is named on stderr.
void write_own_audit(const std::filesystem::path& state, std::string_view event,
                     std::initializer_list<node::Field> fields);
// For the field "by".
std::string own_user();

}  // namespace longwire::app
