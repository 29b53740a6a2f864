// What is not wrong but seldom meant: noted while locations are merged, told at the end.
#pragma once

#include "nginx/conf.hpp"

namespace authjs::nginx {

void note_unprotected(srv_conf& server, const loc_conf& level,
                      const ngx_http_core_loc_conf_t& core);
void note_level(ngx_conf_t* cf, srv_conf& server, const loc_conf& level,
                const ngx_http_core_loc_conf_t& core);
void warn_of_servers(ngx_conf_t* cf);

}  // namespace authjs::nginx
