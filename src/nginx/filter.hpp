// The header filter: what the access phase could not do itself.
#pragma once

#include "nginx/ngx.hpp"

namespace authjs::nginx {

// init_header_filter takes its place in the chain; a filter module's postconfiguration calls it.
void init_header_filter() noexcept;

}  // namespace authjs::nginx
