// The gate over sessions that live in a store (auth_js_session strategy=database): a question that
// may have to wait, and the worker's memory of its last answers (cache=).
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/config.hpp"
#include "auth/gate.hpp"
#include "io/ports.hpp"
#include "util/task.hpp"

namespace authjs::auth {

// Sessions that the store confirmed a moment ago, at most `entries`; what was used longest ago goes
// first. Only sessions that exist are kept, so invented cookies cost no memory.
class session_cache {
public:
    explicit session_cache(std::size_t entries = 16'384) : most_(entries) {}

    // find answers what load_session would, or nothing if the store has to be asked: unknown, older
    // than `cache=`, expired, due for renewal, or signed out by any worker of this master.
    std::optional<verdict> find(const config& cf, std::string_view token, instant now,
                                io::shared_cache& shared);
    // keep remembers what the store said when it was asked: `now`, after so many notices.
    void keep(const config& cf, std::string_view token, instant now, std::uint64_t notices,
              std::shared_ptr<const session_view> view);
    std::size_t size() const noexcept { return by_key_.size(); }

private:
    // Two sites with different stores may see the same cookie value.
    struct key {
        const adapters::adapter* store;
        std::string_view token;
        bool operator==(const key&) const = default;
    };
    struct hash {
        std::size_t operator()(const key& k) const noexcept {
            return std::hash<std::string_view>{}(k.token) ^ std::hash<const void*>{}(k.store);
        }
    };
    struct entry {
        const adapters::adapter* store;
        std::string token, ended;  // ended: what is posted when it is signed out
        std::shared_ptr<const session_view> view;
        instant loaded;
        std::uint64_t notices;  // of `shared`, that it is known not to be among
        session_cache::key key() const noexcept { return {store, token}; }
    };
    std::size_t most_;
    std::list<entry> list_;  // used last: first
    std::unordered_map<key, std::list<entry>::iterator, hash> by_key_;
};

// What asking needs; all of it outlives the task.
struct store_question {
    io::clock& clock;
    io::log& log;
    io::shared_cache& shared;
    session_cache& cache;
};

// load_session asks the store who has this session. An expired row is deleted, one that is due is
// renewed if the gate renews. It does not throw: a store that cannot be asked is
// status::store_error, and the log says why.
task<verdict> load_session(const config& cf, std::string token, store_question io);

// The cookie of a renewed session: the same value, a new end.
std::vector<set_cookie> renew_cookie(const config& cf, bool https, const cookie_jar& jar,
                                     const session_view& s);

}  // namespace authjs::auth
