#include "auth/database_session.hpp"

#include <limits>

#include "auth/link.hpp"
#include "auth/signed_out.hpp"
#include "util/error.hpp"

namespace authjs::auth {

namespace {

bool is_due(const config& cf, instant expires, instant now) noexcept {
    return expires - cf.session.max_age + cf.session.update_age <= now;
}

std::shared_ptr<session_view> view_of(const adapters::session_and_user& found) {
    auto view = std::make_shared<session_view>();
    const auto& u = found.user;
    view->user = to_json(u);
    view->user_id = u.id;
    view->name = u.name.value_or("");
    view->email = u.email.value_or("");
    view->image = u.image.value_or("");
    view->has_name = u.name.has_value();
    view->has_email = u.email.has_value();
    view->has_image = u.image.has_value();
    view->expires = found.session.expires;
    view->not_after = unix_seconds(found.session.expires);
    view->not_before = std::numeric_limits<std::int64_t>::min();
    return view;
}

}  // namespace

std::optional<verdict> session_cache::find(const config& cf, std::string_view token, instant now,
                                           io::shared_cache& shared) {
    if (cf.session.cache.count() == 0) return std::nullopt;
    const auto at = by_key_.find({*cf.adapter, token});
    if (at == by_key_.end()) return std::nullopt;
    const auto it = at->second;
    // A clock that was set back makes an entry too old as well.
    const bool fresh = now >= it->loaded && now - it->loaded < cf.session.cache;
    const auto notices = shared.notices();
    const bool ended = notices != it->notices && shared.posted_since(it->ended, it->notices);
    if (!fresh || it->view->expires <= now || ended) {
        by_key_.erase(at);
        list_.erase(it);
        return std::nullopt;
    }
    it->notices = notices;
    if (cf.session.renew && is_due(cf, it->view->expires, now)) return std::nullopt;
    list_.splice(list_.begin(), list_, it);
    verdict v;
    v.status = status::ok;
    v.session = it->view;
    return v;
}

void session_cache::keep(const config& cf, std::string_view token, instant now,
                         std::uint64_t notices, std::shared_ptr<const session_view> view) {
    if (cf.session.cache.count() == 0) return;
    const auto known = by_key_.find({*cf.adapter, token});
    if (known != by_key_.end()) {
        const auto it = known->second;
        by_key_.erase(known);
        list_.erase(it);
    }
    list_.push_front(
        {*cf.adapter, std::string(token), signed_out_key(token), std::move(view), now, notices});
    by_key_.emplace(list_.front().key(), list_.begin());
    if (list_.size() <= most_) return;
    by_key_.erase(list_.back().key());
    list_.pop_back();
}

task<verdict> load_session(const config& cf, std::string token, store_question io) {
    verdict v;
    try {
        adapters::adapter* store = *cf.adapter;
        if (store == nullptr) throw error(code::unavailable, "this worker has no store");
        const auto asked_at = io.clock.now();
        const auto notices = io.shared.notices();
        const auto found = co_await store->get_session_and_user(token);
        const auto now = io.clock.now();
        if (!found) {
            v.status = status::bad_token;
            v.clean = true;
            co_return v;
        }
        if (found->session.expires <= now) {
            v.status = status::expired;
            v.clean = true;
            const auto gone = co_await store->delete_session(token);
            co_return v;
        }
        auto view = view_of(*found);
        if (cf.session.renew && is_due(cf, view->expires, now)) {
            const instant expires = now + cf.session.max_age;
            co_await store->update_session(token, expires);
            view->expires = expires;
            view->not_after = unix_seconds(expires);
            v.due = true;
        }
        // As of the moment it was asked: what was signed out since then has been posted.
        io.cache.keep(cf, token, asked_at, notices, view);
        v.session = std::move(view);
        v.status = status::ok;
    } catch (const std::exception& e) {
        io.log.write(io::level::error, std::string("a session cannot be known: ") + e.what());
        v = {};
        v.status = status::store_error;
    }
    co_return v;
}

std::vector<set_cookie> renew_cookie(const config& cf, bool https, const cookie_jar& jar,
                                     const session_view& s) {
    const auto& kind = cf.cookies(https)[which::session_token];
    const auto had = read_chunks(jar, kind.name);
    return write_chunks(had, kind, had.value, s.expires);
}

}  // namespace authjs::auth
