#include "nginx/stores.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "nginx/conf.hpp"
#include "nginx/runtime.hpp"

namespace authjs::nginx {

store_slot& slot_of(main_conf& main, const adapters::store_plan& plan) {
    for (const auto& s : main.stores)
        if (s->plan == plan) return *s;
    main.stores.push_back(std::make_unique<store_slot>(store_slot{plan, nullptr}));
    return *main.stores.back();
}

namespace {

// Every missing folder above the file: those in between as everybody makes them, the last one the
// workers' alone.
bool make_folder(const std::string& file, const ngx_core_conf_t& core) noexcept {
    const auto end = file.rfind('/');
    if (end == std::string::npos || end == 0) return true;
    for (std::size_t at = file.find('/', 1);; at = file.find('/', at + 1)) {
        const std::string folder = file.substr(0, at);
        if (::mkdir(folder.c_str(), at == end ? 0700 : 0755) == 0) {
            const bool root =
                ::geteuid() == 0 && core.user != static_cast<uid_t>(NGX_CONF_UNSET_UINT);
            if (at == end && root && ::chown(folder.c_str(), core.user, core.group) != 0)
                return false;
        } else if (errno != EEXIST) {
            return false;
        }
        if (at == end) return true;
    }
}

}  // namespace

void make_folders(const main_conf& main, ngx_cycle_t* cycle) noexcept {
    const auto& core =
        *reinterpret_cast<ngx_core_conf_t*>(ngx_get_conf(cycle->conf_ctx, ngx_core_module));
    guard(cycle->log, [&] {
        for (const auto& s : main.stores)
            if (s->plan.create && !make_folder(s->plan.path, core))
                ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                              "auth_js: the folder of \"%s\" cannot be made for the workers; make "
                              "it by hand, mode 0700 and theirs",
                              s->plan.path.c_str());
    });
}

stores::stores(main_conf& main, worker& w) {
    for (const auto& s : main.stores) {
        one o;
        o.slot = s.get();
        o.store = adapters::open_store(s->plan, {w.clock, w.random, w.log, w.loop, w.store_pool});
        o.keeper = std::make_unique<adapters::housekeeper>(
            *o.store, s->plan.adapter + ":" + s->plan.path,
            adapters::housekeeper::ports{w.clock, w.random, w.log, w.loop, w.shared});
        s->open = o.store.get();
        list_.push_back(std::move(o));
    }
}

stores::~stores() {
    for (const auto& o : list_) o.slot->open = nullptr;
}

}  // namespace authjs::nginx
