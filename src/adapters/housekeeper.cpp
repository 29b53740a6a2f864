#include "adapters/housekeeper.hpp"

#include "util/error.hpp"

namespace authjs::adapters {

housekeeper::housekeeper(adapter& store, std::string key, ports io, housekeeping times)
    : store_(store), lease_("housekeeping:" + std::move(key)), io_(io), times_(times) {
    wait(times_.first);
}

void housekeeper::wait(milliseconds about) {
    unsigned char dice = 128;
    try {
        io_.random.fill({&dice, 1});
    } catch (const error&) {  // no jitter then
    }
    timer_ = io_.loop.after(about / 2 + about * dice / 255, false, [this] { tick(); });
}

void housekeeper::tick() {
    if (!unfinished_ && !io_.shared.once(lease_, times_.every)) return wait(times_.every);
    sweeping_ = sweep();
    sweeping_.start();
}

task<void> housekeeper::sweep() {
    unfinished_ = false;
    try {
        const auto removed = co_await store_.remove_expired(io_.clock.now(), times_.batch);
        unfinished_ = removed >= times_.batch;
    } catch (const std::exception& e) {
        io_.log.write(io::level::warn, std::string("housekeeping put off: ") + e.what());
    }
    wait(unfinished_ ? times_.pause : times_.every);
}

}  // namespace authjs::adapters
