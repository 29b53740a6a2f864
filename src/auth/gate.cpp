#include "auth/gate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "auth/chunk_order.hpp"
#include "crypto/crypto.hpp"
#include "io/ports.hpp"

namespace authjs::auth {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t far = 8'640'000'000'000;  // seconds: where ECMAScript's dates end
constexpr std::int64_t tolerance = 15;           // seconds, as jose::decode has it

// --- finding the session cookie ------------------------------------------------------------------

// A list with a fixed end: more pieces than a browser or nginx's header buffers hold are no
// session.
struct few_chunks {
    std::array<chunk, 64> items;
    std::size_t count = 0;

    std::size_t size() const noexcept { return count; }
    chunk& operator[](std::size_t i) noexcept { return items[i]; }
};

// find_chunks fills the list anew; false: too many, or two values of one name.
bool find_chunks(const std::vector<std::string_view>& lines, std::string_view name,
                 few_chunks& list) {
    list.count = 0;
    bool good = true;
    each_cookie(lines, [&](std::string_view n, std::string_view raw) {
        if (!n.starts_with(name)) return true;
        const auto end = list.items.begin() + static_cast<std::ptrdiff_t>(list.count);
        const auto had =
            std::find_if(list.items.begin(), end, [n](const chunk& c) { return c.name == n; });
        if (had != end) {
            good = had->value == raw;
        } else if (list.count == list.items.size()) {
            good = false;
        } else {
            list.items[list.count++] = {n, raw, 0};
        }
        return good;
    });
    // Only now may empty ones go: the first of equal names wins, also when it is empty.
    const auto end = list.items.begin() + static_cast<std::ptrdiff_t>(list.count);
    list.count = static_cast<std::size_t>(
        std::remove_if(list.items.begin(), end, [](const chunk& c) { return c.value.empty(); }) -
        list.items.begin());
    if (list.count > 1) {
        for (std::size_t i = 0; i < list.count; ++i) list[i].number = chunk_number(list[i].name);
        order_chunks(list);
    }
    return good;
}

bool is_plain(std::string_view raw) noexcept {
    return std::all_of(raw.begin(), raw.end(), [](char c) { return c > 0x20 && c != '%'; });
}

// A token has one spelling that is kept: whoever holds a single session could else fill the cache
// with it, in as many ways as decode() reads white space and padding.
bool is_usual_spelling(std::string_view token) noexcept {
    return std::all_of(token.begin(), token.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

// The joined value: a view of the header where one plain cookie holds it, else of `room`.
std::string_view join(few_chunks& list, std::string& room) {
    if (list.count == 1 && is_plain(list[0].value)) return list[0].value;
    room.clear();
    for (std::size_t i = 0; i < list.count; ++i) {
        if (is_plain(list[i].value))
            room += list[i].value;
        else
            room += cookie_value(list[i].value);
    }
    return room;
}

// --- what a token says ---------------------------------------------------------------------------

// The first whole second at which "instant <= second" holds, saturated.
std::int64_t whole_seconds(const json::number& n) noexcept {
    const double up = std::ceil(n.value);
    if (up >= static_cast<double>(far)) return far;
    if (up <= -static_cast<double>(far)) return -far;
    return static_cast<std::int64_t>(up);
}

bool take_text(const json::value& claims, std::string_view name, std::string& to) {
    const auto* v = claims.find(name);
    const auto* s = v != nullptr ? v->as_string() : nullptr;
    if (s == nullptr) return false;
    to = *s;
    return true;
}

std::shared_ptr<const session_view> view_of(json::value claims) {
    auto s = std::make_shared<session_view>();
    take_text(claims, "sub", s->user_id);
    take_text(claims, "provider", s->provider);
    s->has_name = take_text(claims, "name", s->name);
    s->has_email = take_text(claims, "email", s->email);
    s->has_image = take_text(claims, "picture", s->image);
    const auto* exp = claims.find("exp");
    const auto* nbf = claims.find("nbf");
    s->not_after = exp != nullptr ? whole_seconds(*exp->as_number()) : never;
    s->not_before = nbf != nullptr ? whole_seconds(*nbf->as_number()) : -far;
    s->expires = instant{seconds{std::min(s->not_after, far)}};
    s->claims = std::move(claims);
    return s;
}

// Whether a JWT session is to be issued again: its expiry, minus its life, plus update_age, is
// past.
bool is_due(const config& cf, const session_view& s, std::int64_t now) noexcept {
    return cf.session.renew && s.not_after != never &&
           s.not_after - cf.session.token_age().count() + cf.session.update_age.count() <= now;
}

}  // namespace

std::string_view status_name(status s) noexcept {
    constexpr std::string_view names[] = {"ok",        "none",        "expired",
                                          "bad_token", "store_error", "forbidden"};
    return names[static_cast<std::size_t>(s)];
}

// --- the cache -----------------------------------------------------------------------------------

// A table of open addressing (linear probing, half full at most) over one slab of entries, which
// are also the links of a list by age: keeping a token costs its text and nothing else.
class token_cache::impl {
public:
    impl(std::size_t entries, std::size_t bytes) : entries_(entries), bytes_(bytes) {
        crypto::system_random rng;
        const auto key = io::random_bytes(rng, sizeof key_);
        std::memcpy(key_.data(), key.data(), sizeof key_);
    }

    // find answers the session that this text opened to under a ring of these keys, and makes it
    // the youngest. Neither allocates.
    const std::shared_ptr<const session_view>* find(std::string_view ring, std::string_view text) {
        if (slots_.empty()) return nullptr;
        const auto at = slots_[slot_of(hash(ring, text), ring, text)];
        if (at == nobody) return nullptr;
        if (at != youngest_) {
            unlink(at);
            link(at);
        }
        return &slab_[at].session;
    }

    void keep(std::string_view ring, std::string_view text,
              std::shared_ptr<const session_view> session) {
        if (entries_ == 0 || text.size() > bytes_) return;
        drop(ring, text);
        while (count_ == entries_ || held_ + text.size() > bytes_) forget(oldest_);
        if (slots_.empty()) slots_.assign(std::bit_ceil(2 * entries_), nobody);
        std::string copy(text);
        index at = free_;
        if (at == nobody) {
            at = static_cast<index>(slab_.size());
            slab_.emplace_back();
        } else {
            free_ = slab_[at].younger;
        }
        auto& e = slab_[at];
        e.hash = hash(ring, text);
        std::memcpy(e.ring.data(), ring.data(), std::min(ring.size(), e.ring.size()));
        e.text = std::move(copy);
        e.session = std::move(session);
        slots_[slot_of(e.hash, ring, text)] = at;
        link(at);
        held_ += text.size();
        ++count_;
    }

    void drop(std::string_view ring, std::string_view text) noexcept {
        if (slots_.empty()) return;
        const auto at = slots_[slot_of(hash(ring, text), ring, text)];
        if (at != nobody) forget(at);
    }

    std::size_t size() const noexcept { return count_; }

    // What a question works with; kept, since clearing it would cost more than the question.
    few_chunks pieces;
    std::string room;

private:
    using index = std::uint32_t;
    static constexpr index nobody = ~index{0};
    static constexpr std::size_t hashed = 64;  // bytes
    struct entry {
        std::uint64_t hash = 0;
        std::array<char, 32> ring{};  // key_ring::identity
        std::string text;
        std::shared_ptr<const session_view> session;
        index older = nobody, younger = nobody;  // a free entry: younger is the next free one

        bool is(std::uint64_t h, std::string_view r, std::string_view t) const noexcept {
            return hash == h && text == t && r == std::string_view(ring.data(), ring.size());
        }
    };

    std::size_t mask() const noexcept { return slots_.size() - 1; }

    // The slot of this text, or the empty one where it would stand.
    std::size_t slot_of(std::uint64_t h, std::string_view ring,
                        std::string_view text) const noexcept {
        auto i = h & mask();
        while (slots_[i] != nobody && !slab_[slots_[i]].is(h, ring, text)) i = (i + 1) & mask();
        return i;
    }

    void link(index at) noexcept {
        slab_[at].older = youngest_;
        slab_[at].younger = nobody;
        (youngest_ == nobody ? oldest_ : slab_[youngest_].younger) = at;
        youngest_ = at;
    }
    void unlink(index at) noexcept {
        const auto& e = slab_[at];
        (e.younger == nobody ? youngest_ : slab_[e.younger].older) = e.older;
        (e.older == nobody ? oldest_ : slab_[e.older].younger) = e.younger;
    }

    void forget(index at) noexcept {
        auto& e = slab_[at];
        auto hole = e.hash & mask();
        while (slots_[hole] != at) hole = (hole + 1) & mask();
        // Whoever stands behind the hole and does not belong behind it moves up.
        for (auto i = (hole + 1) & mask(); slots_[i] != nobody; i = (i + 1) & mask()) {
            const auto home = slab_[slots_[i]].hash & mask();
            if (((i - home) & mask()) < ((i - hole) & mask())) continue;
            slots_[hole] = slots_[i];
            hole = i;
        }
        slots_[hole] = nobody;
        unlink(at);
        held_ -= e.text.size();
        --count_;
        std::string().swap(e.text);
        e.session.reset();
        e.younger = free_;
        free_ = at;
    }

    // Folded multiplication under a key of this process, over the text's end: there stands a
    // token's tag, which no two that open have in common. Only texts that opened are kept, so
    // nobody outside chooses what stands in the table; the key is for those who hold many sessions.
    std::uint64_t hash(std::string_view ring, std::string_view text) const noexcept {
        const auto fold = [](std::uint64_t a, std::uint64_t b) {
            const auto product = static_cast<unsigned __int128>(a) * b;
            return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
        };
        std::uint64_t m[2] = {};
        std::memcpy(m, ring.data(), std::min(ring.size(), sizeof m));
        auto h = fold(m[0] ^ key_[0], m[1] ^ key_[1] ^ text.size());
        text.remove_prefix(text.size() - std::min(text.size(), hashed));
        for (; text.size() >= sizeof m; text.remove_prefix(sizeof m)) {
            std::memcpy(m, text.data(), sizeof m);
            h = fold(m[0] ^ key_[0] ^ h, m[1] ^ key_[1]);
        }
        m[0] = m[1] = 0;
        std::memcpy(m, text.data(), text.size());
        return fold(m[0] ^ key_[0] ^ h, m[1] ^ key_[1]);
    }

    std::size_t entries_, bytes_, held_ = 0, count_ = 0;
    std::array<std::uint64_t, 2> key_{};
    std::vector<entry> slab_;
    std::vector<index> slots_;  // of the slab; made by the first token that is kept
    index youngest_ = nobody, oldest_ = nobody, free_ = nobody;
};

token_cache::token_cache(std::size_t entries, std::size_t bytes)
    : impl_(std::make_unique<impl>(entries, bytes)) {}
token_cache::~token_cache() = default;

// --- the question --------------------------------------------------------------------------------

verdict ask(const config& cf, bool https, const std::vector<std::string_view>& cookie_lines,
            instant now, token_cache& cache) noexcept try {
    const auto& kind = cf.cookies(https)[which::session_token];
    auto& known = cache.get();
    auto& pieces = known.pieces;
    verdict out;
    if (!find_chunks(cookie_lines, kind.name, pieces)) {
        out.status = status::bad_token;
        out.clean = out.several = true;
        return out;
    }
    if (pieces.count == 0) return out;
    if (cf.session.strategy == strategy::database) {
        out.ask_store = true;
        out.token = join(pieces, known.room);
        return out;
    }

    const auto refuse = [&out](status why) {
        out.status = why;
        out.clean = true;
        out.session.reset();
        return out;
    };
    const auto& ring = kind.ring.identity();
    // What is kept has opened, so it is plain text: a cookie as it stands may be looked up at once.
    auto text = pieces[0].value;
    const auto* hit = pieces.count == 1 ? known.find(ring, text) : nullptr;
    if (hit == nullptr) {
        const auto joined = join(pieces, known.room);
        if (joined.data() != text.data()) hit = known.find(ring, joined);
        text = joined;
    }
    if (hit != nullptr) {
        out.session = *hit;
    } else {
        auto opened = jose::decode(kind.ring, text, now);
        if (opened.why != jose::refusal::none)
            return refuse(opened.why == jose::refusal::expired ? status::expired
                                                               : status::bad_token);
        out.session = view_of(std::move(*opened.claims));
        if (is_usual_spelling(text)) known.keep(ring, text, out.session);
    }

    const auto at = unix_seconds(now);
    const auto& s = *out.session;
    if (s.not_after != never && s.not_after <= at - tolerance) {
        known.drop(ring, text);
        return refuse(status::expired);
    }
    if (s.not_before > at + tolerance) return refuse(status::bad_token);  // the clock went back
    out.status = status::ok;
    out.due = is_due(cf, s, at);
    return out;
} catch (...) {
    return {};
}

std::vector<set_cookie> renew(const config& cf, bool https, const cookie_jar& jar,
                              const session_view& s, io::clock& clock, io::random& random) {
    const auto& kind = cf.cookies(https)[which::session_token];
    const auto token = jose::encode(kind.ring, s.claims, cf.session.token_age(), clock, random);
    const auto had = read_chunks(jar, kind.name);
    return write_chunks(had, kind, token, clock.now() + cf.session.max_age);
}

json::value default_session(const config& cf, const session_view& s) {
    // What stands in the token or the user's row, null too; what is absent is left out, as
    // JSON.stringify leaves out undefined.
    const bool stored = cf.session.strategy == strategy::database;
    const auto& from = stored ? s.user : s.claims;
    auto user = json::make_object({});
    const std::pair<const char*, const char*> members[] = {
        {"name", "name"}, {"email", "email"}, {"image", stored ? "image" : "picture"}};
    for (const auto& [name, source] : members)
        if (const auto* v = from.find(source)) user.set(name, *v);
    auto out = json::make_object({});
    out.set("user", std::move(user));
    out.set("expires", iso_text(s.expires));
    return out;
}

}  // namespace authjs::auth
