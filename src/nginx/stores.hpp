// The stores of a configuration (auth_js_adapter): planned when it is read, opened in each worker.
#pragma once

#include <memory>
#include <vector>

#include "adapters/housekeeper.hpp"
#include "adapters/registry.hpp"
#include "nginx/ngx.hpp"

namespace authjs::nginx {

struct main_conf;
class worker;

// One store, however many levels name it. `open` is set in a worker while it runs: auth::config
// points at it.
struct store_slot {
    adapters::store_plan plan;
    adapters::adapter* open = nullptr;
};
// slot_of finds the slot of this plan or makes one.
store_slot& slot_of(main_conf& main, const adapters::store_plan& plan);

// make_folders creates the folders of stores that create their file (0700, the workers' user), in
// the master before it forks, and leaves existing ones as they are. What fails is logged; the
// store then says so itself.
void make_folders(const main_conf& main, ngx_cycle_t* cycle) noexcept;

// The open stores of one worker, and who keeps house in them.
class stores {
public:
    stores(main_conf& main, worker& w);
    ~stores();
    stores(const stores&) = delete;
    stores& operator=(const stores&) = delete;

private:
    struct one {
        store_slot* slot;
        std::unique_ptr<adapters::adapter> store;
        std::unique_ptr<adapters::housekeeper> keeper;  // destroyed before the store
    };
    std::vector<one> list_;
};

}  // namespace authjs::nginx
