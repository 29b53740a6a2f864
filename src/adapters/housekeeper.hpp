// Housekeeping of one store: expired sessions and verification tokens go, a few at a time, by one
// worker of all.
#pragma once

#include <memory>
#include <string>

#include "adapters/adapter.hpp"
#include "io/ports.hpp"

namespace authjs::adapters {

struct housekeeping {
    milliseconds every{600'000};  // between two sweeps, over all workers; each waits 50 to 150 %
    milliseconds first{10'000};   // after a worker's start, likewise
    milliseconds pause{1'000};    // between the batches of one sweep
    std::size_t batch = 200;      // rows
};

class housekeeper {
public:
    struct ports {
        io::clock& clock;
        io::random& random;
        io::log& log;
        io::event_loop& loop;
        io::shared_cache& shared;
    };
    // `key` names the store among all of this master. All but the key outlive the housekeeper; its
    // timers keep no worker from exiting.
    housekeeper(adapter& store, std::string key, ports io, housekeeping times = {});

private:
    void wait(milliseconds about);
    void tick();
    task<void> sweep();

    adapter& store_;
    std::string lease_;
    ports io_;
    housekeeping times_;
    bool unfinished_ = false;  // the last batch was full: this worker's sweep goes on
    std::unique_ptr<io::timer> timer_;
    task<void> sweeping_;
};

}  // namespace authjs::adapters
