#include "nginx/zone.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <span>

#include "crypto/crypto.hpp"

namespace authjs::nginx {
namespace {

ngx_str_t zone_name = ngx_string("auth_js");
constexpr std::uint32_t layout = 3;

// A key may stand in any slot of one bucket; a full bucket gives up what ends first.
struct slot {
    std::uint64_t key;
    std::int64_t ends;  // milliseconds of the steady clock, one for all processes; 0: free
};
using bucket = std::array<slot, 8>;

struct table {
    std::uint32_t version;
    std::uint32_t buckets;   // a power of two
    unsigned char seed[32];  // of the keyed hash: what is asked for cannot be aimed at a bucket
    std::atomic<std::uint64_t> posted;        // notices so far; read without the lock
    std::array<std::uint64_t, 1024> notices;  // the latest of them: number n at n % size
    bucket all[1];
};

ngx_slab_pool_t* slab_of(const ngx_shm_zone_t* z) noexcept {
    return reinterpret_cast<ngx_slab_pool_t*>(z->shm.addr);
}

class locked {
public:
    explicit locked(const ngx_shm_zone_t* z) noexcept : mutex_(&slab_of(z)->mutex) {
        ngx_shmtx_lock(mutex_);
    }
    ~locked() { ngx_shmtx_unlock(mutex_); }
    locked(const locked&) = delete;
    locked& operator=(const locked&) = delete;

private:
    ngx_shmtx_t* mutex_;
};

// Runs before fork. `old` is the data of the same zone in the configuration before a reload.
ngx_int_t init(ngx_shm_zone_t* z, void* old) noexcept {
    return guard(z->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&]() -> ngx_int_t {
        ngx_slab_pool_t* const slab = slab_of(z);
        auto* t = static_cast<table*>(old ? old : z->shm.exists ? slab->data : nullptr);
        if (t && t->version == layout) {
            z->data = slab->data = t;
            return NGX_OK;
        }
        slab->log_nomem = 0;  // the sizes tried first are too large on purpose
        std::size_t n = 1;
        while (n * 2 * sizeof(bucket) < z->shm.size) n *= 2;
        for (t = nullptr; !t && n > 0; n /= 2) {
            t = static_cast<table*>(
                ngx_slab_calloc(slab, sizeof(table) + (n - 1) * sizeof(bucket)));
            if (t) t->buckets = static_cast<std::uint32_t>(n);
        }
        if (!t) {
            ngx_log_error(NGX_LOG_EMERG, z->shm.log, 0, "auth_js: auth_js_zone is too small");
            return NGX_ERROR;
        }
        crypto::system_random().fill(t->seed);
        t->version = layout;
        z->data = slab->data = t;
        return NGX_OK;
    });
}

std::uint64_t hashed(const table& t, std::string_view key) {
    const auto mac = crypto::hmac(crypto::hash::sha256,
                                  {reinterpret_cast<const char*>(t.seed), sizeof t.seed}, key);
    std::uint64_t h;
    std::memcpy(&h, mac.data(), sizeof h);
    return h;
}

std::int64_t steady_now() noexcept {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<milliseconds>(since).count();
}

bucket& bucket_of(table& t, std::uint64_t h) noexcept { return t.all[h & (t.buckets - 1)]; }

}  // namespace

ngx_shm_zone_t* add_zone(ngx_conf_t* cf, std::size_t size) {
    if (size < 8 * ngx_pagesize) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "auth_js_zone must be at least %uz bytes",
                           8 * ngx_pagesize);
        return nullptr;
    }
    ngx_shm_zone_t* const z = ngx_shared_memory_add(cf, &zone_name, size, &ngx_http_auth_js_module);
    if (z) z->init = &init;
    return z;
}

zone::zone(ngx_cycle_t* cycle) {
    for (ngx_list_part_t* part = &cycle->shared_memory.part; part; part = part->next)
        for (auto& z : std::span(static_cast<ngx_shm_zone_t*>(part->elts), part->nelts))
            if (z.tag == &ngx_http_auth_js_module && z.data) shm_ = &z;
}

bool zone::once(std::string_view key, milliseconds window) {
    if (!shm_) return true;
    auto& t = *static_cast<table*>(shm_->data);
    const auto h = hashed(t, key);
    const auto now = steady_now();
    const slot fresh{h, now + window.count()};
    auto& b = bucket_of(t, h);
    const locked hold(shm_);
    const auto same =
        std::find_if(b.begin(), b.end(), [&](const slot& s) { return s.ends && s.key == h; });
    if (same != b.end() && same->ends > now) return false;
    // What has ended ends before anything that has not.
    const auto place = same != b.end()
                           ? same
                           : std::min_element(b.begin(), b.end(), [](const slot& x, const slot& y) {
                                 return x.ends < y.ends;
                             });
    *place = fresh;
    return true;
}

std::uint64_t zone::notices() {
    return shm_ ? static_cast<table*>(shm_->data)->posted.load(std::memory_order_acquire) : 0;
}

void zone::post(std::string_view key) {
    if (!shm_) return;
    auto& t = *static_cast<table*>(shm_->data);
    const auto h = hashed(t, key);
    const locked hold(shm_);
    const auto n = t.posted.load(std::memory_order_relaxed);
    t.notices[n % t.notices.size()] = h;
    t.posted.store(n + 1, std::memory_order_release);
}

bool zone::posted_since(std::string_view key, std::uint64_t count) {
    if (!shm_) return false;
    auto& t = *static_cast<table*>(shm_->data);
    const auto h = hashed(t, key);
    const locked hold(shm_);
    const auto n = t.posted.load(std::memory_order_relaxed);
    if (count > n || n - count > t.notices.size()) return true;
    for (; count < n; ++count)
        if (t.notices[count % t.notices.size()] == h) return true;
    return false;
}

}  // namespace authjs::nginx
