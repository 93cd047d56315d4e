// Checks of `longwire doctor`: what this user has said and keeps.
#pragma once

#include "app/longwire/doctor_finding.h"
#include "client/core/config.h"

namespace longwire::app {

// "config": it can be read and makes sense, and "nodes": it names some.
Findings check_config(const client::core::ConfigSource& source);
// "keys": this user's key and list of nodes, in the folder `home`, are whole and private.
Finding check_keys(const std::string& home);

}  // namespace longwire::app
