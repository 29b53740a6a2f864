// io::shared_cache in one shared-memory zone (auth_js_zone) of all workers of a master. It holds
// keyed hashes of what was asked and when that ends, and of the latest notices, nothing else. It
// reckons by the clock that nobody sets: else a throttle would last for years after the system's
// clock was set back.
#pragma once

#include "io/ports.hpp"
#include "nginx/ngx.hpp"

namespace authjs::nginx {

// add_zone declares the zone while the configuration is read; null after an error was logged. A
// reload with the same size keeps what is in it; another size begins empty.
ngx_shm_zone_t* add_zone(ngx_conf_t* cf, std::size_t size);

class zone final : public io::shared_cache {
public:
    // Finds the zone of this cycle; without one every answer is as from an empty cache.
    explicit zone(ngx_cycle_t* cycle);
    bool once(std::string_view key, milliseconds window) override;
    std::uint64_t notices() override;
    void post(std::string_view key) override;
    bool posted_since(std::string_view key, std::uint64_t count) override;

private:
    ngx_shm_zone_t* shm_ = nullptr;
};

}  // namespace authjs::nginx
