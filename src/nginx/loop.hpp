// io::event_loop on nginx's own: timers and readiness of descriptors that are not nginx's.
#pragma once

#include "io/ports.hpp"
#include "nginx/ngx.hpp"

namespace authjs::nginx {

class loop final : public io::event_loop {
public:
    std::unique_ptr<io::timer> after(milliseconds delay, bool keeps_worker,
                                     std::function<void()> call) override;
    // Throws error(unavailable) when the worker has no connection slot left.
    std::unique_ptr<io::watch> on_ready(int fd, std::function<void(bool, bool)> call) override;
};

}  // namespace authjs::nginx
