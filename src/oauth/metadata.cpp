#include "oauth/metadata.hpp"

#include <functional>
#include <map>

#include "oauth/refuse.hpp"

namespace authjs::oauth {
namespace {

constexpr seconds stale_for{24 * 60 * 60};     // how long a provider may be down unnoticed
constexpr seconds retry_pause{30};             // between two attempts while it is
constexpr milliseconds refetch_pause{30'000};  // between two looks for an unknown key
constexpr std::size_t key_set_limit = 256 * 1024;

template <class T>
struct kept {
    std::shared_ptr<const T> value;
    instant since{}, fresh_until{}, usable_until{};
    bool is_down = false;  // the last request for it failed

    // A clock that was set back makes it old, not eternal.
    bool is_fresh(instant now) const { return value && since <= now && now < fresh_until; }
};

// What another proxy or another store of certificates vouched for is not the same document.
std::string slot(std::string url, const http::sender& http) {
    return std::move(url) + '\n' + http.via->proxy + '\n' + http.via->ca_file;
}

jose::jwk_set key_set_response(const http::response& answer) {
    if (answer.status != 200)
        refuse("the key set was answered with status " + std::to_string(answer.status));
    auto keys = jose::jwk_set::parse(answer.body);
    if (!keys) refuse("the provider's key set cannot be read");
    return std::move(*keys);
}

}  // namespace

struct metadata::impl {
    io::clock& clock;
    io::shared_cache& shared;
    std::map<std::string, kept<server>> servers;  // as many as the configuration names
    std::map<std::string, kept<jose::jwk_set>> key_sets;

    // renew fetches anew. A failure is thrown only where there is nothing usable left; what is kept
    // is then good for another pause, so that a provider that hangs delays one sign-in, not each.
    template <class T>
    task<void> renew(kept<T>* what, http::sender http, http::request rq,
                     std::function<T(const http::response&)> read) {
        std::optional<error> failed;
        try {
            const auto answer = co_await http.send(std::move(rq));
            auto fresh = std::make_shared<const T>(read(answer));
            const auto now = clock.now();
            *what = {std::move(fresh), now, now + fresh_for(answer),
                     now + fresh_for(answer) + stale_for, false};
        } catch (const error& e) {
            failed = e;
        }
        if (!failed) co_return;
        const auto now = clock.now();
        if (!what->value || now >= what->usable_until) throw std::move(*failed);
        what->is_down = true;
        what->since = std::min(what->since, now);
        what->fresh_until = std::min(now + retry_pause, what->usable_until);
    }

    task<void> renew_keys(kept<jose::jwk_set>* keys, http::sender http,
                          std::shared_ptr<const server> as) {
        http::request rq = kept_outside(*as, discovery_request(as->jwks_uri));
        rq.body_limit = key_set_limit;
        std::function<jose::jwk_set(const http::response&)> read = key_set_response;
        co_await renew<jose::jwk_set>(keys, http, std::move(rq), std::move(read));
    }
};

metadata::metadata(io::clock& clock, io::shared_cache& shared)
    : impl_(new impl{clock, shared, {}, {}}) {}
metadata::~metadata() = default;

task<std::shared_ptr<const server>> metadata::discover(http::sender http, std::string issuer,
                                                       std::string well_known,
                                                       std::string placeholder) {
    auto& known = impl_->servers[slot(issuer + '\n' + well_known + '\n' + placeholder, http)];
    if (known.is_fresh(impl_->clock.now())) co_return known.value;

    http::request rq = discovery_request(well_known.empty() ? well_known_url(issuer) : well_known);
    std::function<server(const http::response&)> read =
        [issuer, placeholder](const http::response& answer) {
            return discovery_response(answer, issuer, placeholder);
        };
    std::optional<error> failed;
    try {
        co_await impl_->renew<server>(&known, http, std::move(rq), std::move(read));
    } catch (const error& e) {
        failed = e;
    }
    if (failed) {
        error told(code::configuration, "discovery failed: " + failed->message());
        for (const auto& [key, value] : failed->context()) told.with(key, value);
        throw std::move(told);
    }
    co_return known.value;
}

task<void> metadata::verify(http::sender http, std::shared_ptr<const server> as, jose::jws token,
                            crypto::sig alg) {
    demand(!as->jwks_uri.empty(), "no key set is known to check a signature with");
    auto& keys = impl_->key_sets[slot(as->jwks_uri, http)];
    const bool was_fresh = keys.is_fresh(impl_->clock.now());
    if (!was_fresh) co_await impl_->renew_keys(&keys, http, as);
    if (jose::verify(token, *keys.value, alg)) co_return;

    // The provider may have changed its keys since; whoever floods us with unknown ones gets no
    // more than one request out of us in a while, whatever worker they reach, and none while the
    // provider is known to be down.
    const bool again =
        was_fresh && !keys.is_down && impl_->shared.once("jwks " + as->issuer, refetch_pause);
    if (again) co_await impl_->renew_keys(&keys, http, as);
    demand(again && jose::verify(token, *keys.value, alg), "a token's signature is not good");
}

}  // namespace authjs::oauth
