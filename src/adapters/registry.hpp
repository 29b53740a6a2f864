// From `auth_js_adapter name connection option=value ...` to a store. Two steps: what the
// configuration says is judged when it is read, without opening anything; the store itself is made
// in a worker.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/adapter.hpp"
#include "adapters/profiles.hpp"
#include "adapters/sqlite.hpp"
#include "io/ports.hpp"

namespace authjs::adapters {

struct declaration {
    std::string name;
    std::string connection;  // empty: from the variables that the adapter's documentation names
    std::vector<std::pair<std::string, std::string>> options;
};

// A store that can be opened. Copies are cheap enough; nothing in it changes after `plan`.
struct store_plan {
    std::string adapter;
    layout names;
    std::string
        path;  // SQLite file; relative to the configuration's prefix unless it begins with /
    bool create = false;  // make folder, file and tables where they are missing
    bool operator==(const store_plan&) const = default;
};

struct planned {
    std::optional<store_plan> plan;
    std::string wrong;  // set where there is no plan: what is wrong and what to write instead
};
using variables = std::function<std::optional<std::string>(std::string_view name)>;
planned plan_store(const declaration& d, const variables& environment);

// What a store uses of its worker; all of it outlives the store.
struct store_ports {
    io::clock& clock;
    io::random& random;
    io::log& log;
    io::event_loop& loop;
    io::offload& pool;
};
// open_store makes the store; it connects when it is first used. The plan's path is absolute here.
std::unique_ptr<adapter> open_store(const store_plan& plan, store_ports io);

}  // namespace authjs::adapters
