#include "adapters/sql_store.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "util/bytes.hpp"
#include "util/error.hpp"

namespace authjs::adapters {

namespace {

// --- Auth.js's fields: name and where they live in our models ---

template <class M>
using slot = std::variant<std::string M::*, std::optional<std::string> M::*, instant M::*,
                          std::optional<instant> M::*, std::optional<std::int64_t> M::*>;
template <class M>
struct field {
    std::string_view name;
    slot<M> at;
};
template <class M>
struct schema;

template <>
struct schema<user> {
    static constexpr model which = model::user;
    static constexpr std::array<field<user>, 5> fields{{{"id", &user::id},
                                                        {"name", &user::name},
                                                        {"email", &user::email},
                                                        {"emailVerified", &user::email_verified},
                                                        {"image", &user::image}}};
};
template <>
struct schema<account> {
    static constexpr model which = model::account;
    static constexpr std::array<field<account>, 11> fields{
        {{"userId", &account::user_id},
         {"type", &account::type},
         {"provider", &account::provider},
         {"providerAccountId", &account::provider_account_id},
         {"refresh_token", &account::refresh_token},
         {"access_token", &account::access_token},
         {"expires_at", &account::expires_at},
         {"token_type", &account::token_type},
         {"scope", &account::scope},
         {"id_token", &account::id_token},
         {"session_state", &account::session_state}}};
};
template <>
struct schema<session> {
    static constexpr model which = model::session;
    static constexpr std::array<field<session>, 3> fields{
        {{"sessionToken", &session::session_token},
         {"userId", &session::user_id},
         {"expires", &session::expires}}};
};
template <>
struct schema<verification_token> {
    static constexpr model which = model::verification_token;
    static constexpr std::array<field<verification_token>, 3> fields{
        {{"identifier", &verification_token::identifier},
         {"token", &verification_token::token},
         {"expires", &verification_token::expires}}};
};

template <class M>
extras* more_of(M& m) {
    if constexpr (requires { m.more; })
        return &m.more;
    else
        return nullptr;
}

// --- One table as it is in this database ---

enum class role : unsigned char { field, row_id, created, updated, extra };
enum class kind : unsigned char { plain, boolean, date };

struct known_column {
    std::string name;  // as the catalog has it
    adapters::role role;
    adapters::kind kind;
    std::size_t field = 0;  // index into schema<M>::fields
};

std::string quoted(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    return out += '"';
}

struct table {
    std::string name;  // quoted
    std::vector<known_column> columns;

    // "a", "b" ... or x."a", x."b" ...
    std::string list(std::string_view alias = {}) const {
        std::string out;
        for (const auto& c : columns) {
            if (!out.empty()) out += ", ";
            if (!alias.empty()) out.append(alias) += '.';
            out += quoted(c.name);
        }
        return out;
    }
    const known_column* find(std::string_view name) const noexcept {
        const auto at = std::find_if(columns.begin(), columns.end(),
                                     [&](const known_column& c) { return c.name == name; });
        return at == columns.end() ? nullptr : &*at;
    }
};

// An INSERT under construction: `INSERT INTO t (...) SELECT ?, ... [WHERE ...] RETURNING ...`.
struct insertion {
    sql::statement s;
    std::string returning;

    // only_if adds a condition without which nothing is written; then the write fails with `why`.
    void only_if(std::string_view condition, std::initializer_list<std::string> values,
                 std::string why) {
        s.text += s.must_return.empty() ? " WHERE " : " AND ";
        s.text += condition;
        s.values.insert(s.values.end(), values.begin(), values.end());
        s.must_return = std::move(why);
    }
    sql::statement done() && {
        s.text += returning;
        return std::move(s);
    }
};

// Everything that is known once the catalog was read. Immutable; statements are made from it.
struct plan {
    adapters::dates dates;
    std::array<table, models> tables;  // authenticators: only if the database has them
    std::string session_and_user;      // the one statement that a request waits for
    const table& of(model m) const noexcept { return tables[static_cast<std::size_t>(m)]; }
};

kind kind_of(std::string_view declared) {
    const std::string type = ascii_lower(declared);
    if (type.rfind("bool", 0) == 0) return kind::boolean;
    if (type.rfind("datetime", 0) == 0 || type.rfind("timestamp", 0) == 0) return kind::date;
    return kind::plain;
}

// --- Values ---

sql::value to_sql(const json::value& v, kind k, dates how) {
    if (v.is_null()) return nullptr;
    if (const auto* b = v.as_bool()) return static_cast<std::int64_t>(*b);
    if (const auto* n = v.as_number()) {
        const auto whole = static_cast<std::int64_t>(n->value);
        if (std::abs(n->value) < 9e15 && static_cast<double>(whole) == n->value) return whole;
        return n->value;
    }
    if (const auto* s = v.as_string()) {
        const auto t = k == kind::date ? from_iso(*s) : std::nullopt;
        return t ? write_date(how, *t) : sql::value(*s);
    }
    return json::stringify(v);
}

json::value to_json(const sql::value& v, kind k) {
    if (const auto t = k == kind::date ? read_date(v) : std::nullopt) return iso_text(*t);
    if (const auto* n = std::get_if<std::int64_t>(&v))
        return k == kind::boolean ? json::value(*n != 0) : json::value(*n);
    if (const auto* d = std::get_if<double>(&v)) return *d;
    if (const auto* s = std::get_if<std::string>(&v); s && is_utf8(*s)) return *s;
    return nullptr;
}

struct field_writer {
    adapters::dates dates;
    sql::value operator()(const std::string& s) const { return s; }
    sql::value operator()(instant t) const { return write_date(dates, t); }
    sql::value operator()(std::int64_t n) const { return n; }
    template <class T>
    sql::value operator()(const std::optional<T>& v) const {
        return v ? (*this)(*v) : sql::value(nullptr);
    }
};

void read_into(std::string& out, const sql::value& v) {
    if (const auto* s = std::get_if<std::string>(&v))
        out = *s;
    else if (const auto* n = std::get_if<std::int64_t>(&v))
        out = std::to_string(*n);
}
void read_into(instant& out, const sql::value& v) {
    if (const auto t = read_date(v)) out = *t;  // unreadable: 1970, so it has expired
}
void read_into(std::int64_t& out, const sql::value& v) {
    if (const auto* n = std::get_if<std::int64_t>(&v)) out = *n;
    if (const auto* d = std::get_if<double>(&v)) out = static_cast<std::int64_t>(*d);
}
template <class T>
void read_into(std::optional<T>& out, const sql::value& v) {
    if (std::holds_alternative<std::nullptr_t>(v)) return;
    read_into(out.emplace(), v);
}

template <class M>
M read_model(const table& t, const sql::row& r, std::size_t from = 0) {
    M m{};
    for (std::size_t i = 0; i < t.columns.size(); ++i) {
        const auto& c = t.columns[i];
        const auto& v = r[from + i];
        if (c.role == role::field)
            std::visit([&](auto at) { read_into(m.*at, v); }, schema<M>::fields[c.field].at);
        else if (auto* more = more_of(m))
            more->push_back({c.name, to_json(v, c.kind)});
    }
    return m;
}

template <class M>
std::optional<M> first_of(const table& t, const sql::result& found) {
    if (found.rows.empty()) return std::nullopt;
    return read_model<M>(t, found.rows.front());
}

std::string base36(std::uint64_t n, std::size_t width) {
    std::string out(width, '0');
    for (std::size_t i = width; i-- > 0; n /= 36)
        out[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36];
    return out;
}

// The shape of Prisma's default: "c", 8 digits of time, 4 of counter, 4 of fingerprint, 8 random.
// Here all but the time are random.
std::string make_cuid(io::random& random, instant now) {
    const std::string bytes = io::random_bytes(random, 16);
    const auto number = [&](std::size_t at) {
        std::uint64_t n = 0;
        for (std::size_t i = 0; i < 8; ++i) n = n << 8 | static_cast<unsigned char>(bytes[at + i]);
        return n;
    };
    const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
    return "c" + base36(ms, 8) + base36(number(0), 8) + base36(number(8), 8);
}

}  // namespace

struct sql_store::impl {
    std::unique_ptr<sql::database> db;
    layout names;
    io::clock& clock;
    io::random& random;
    std::shared_ptr<const plan> known;

    using plan_ptr = std::shared_ptr<const plan>;

    // ready answers the plan, reading the catalog at first use. A failure is not kept.
    task<plan_ptr> ready() {
        if (known) co_return known;
        auto made = std::make_shared<plan>();
        made->dates = names.of().dates;
        for (std::size_t i = 0; i < models; ++i) {
            const auto m = static_cast<model>(i);
            std::string name = names.table(m);
            if (name.empty()) continue;
            const auto columns = co_await db->describe(name);
            if (columns.empty()) {
                if (m == model::authenticator) continue;
                throw error(code::unavailable,
                            "the database has no table " + quoted(name) +
                                ": make it with the tool that this adapter belongs to");
            }
            made->tables[i] = describe(m, name, columns);
        }
        if (made->dates == dates::offset) {
            const bool numbers = co_await dates_are_numbers(*made);
            if (numbers) made->dates = dates::ms;
        }
        const table &sessions = made->of(model::session), &users = made->of(model::user);
        made->session_and_user = "SELECT " + sessions.list("s") + ", " + users.list("u") +
                                 " FROM " + sessions.name + " s JOIN " + users.name + " u ON u." +
                                 col(model::user, "id") + " = s." + col(model::session, "userId") +
                                 " WHERE s." + col(model::session, "sessionToken") + " = ? LIMIT 1";
        known = made;
        co_return known;
    }

    table describe(model m, std::string_view name, const std::vector<sql::column>& columns) const {
        table t;
        t.name = quoted(name);
        for (const auto& c : columns) {
            known_column k{c.name, role::extra, kind_of(c.type), 0};
            if (const auto at = field_index(m, c.name))
                k.role = role::field, k.field = *at;
            else if (m != model::user && c.name == "id" && names.of().row_id != ids::none)
                k.role = role::row_id;
            else if (names.of().stamps && c.name == names.column(m, "createdAt"))
                k.role = role::created;
            else if (names.of().stamps && c.name == names.column(m, "updatedAt"))
                k.role = role::updated;
            t.columns.push_back(std::move(k));
        }
        return t;
    }

    template <class M>
    std::optional<std::size_t> index_in(std::string_view column) const {
        for (std::size_t i = 0; i < schema<M>::fields.size(); ++i)
            if (names.column(schema<M>::which, schema<M>::fields[i].name) == column) return i;
        return std::nullopt;
    }
    std::optional<std::size_t> field_index(model m, std::string_view column) const {
        switch (m) {
            case model::user:
                return index_in<user>(column);
            case model::account:
                return index_in<account>(column);
            case model::session:
                return index_in<session>(column);
            case model::verification_token:
                return index_in<verification_token>(column);
            case model::authenticator:
                return std::nullopt;  // only their user is ever named
        }
        return std::nullopt;
    }

    // Prisma writes instants as text or as integers; the first row that has one decides.
    task<bool> dates_are_numbers(const plan& p) {
        constexpr std::pair<model, std::string_view> places[] = {
            {model::session, "expires"},
            {model::verification_token, "expires"},
            {model::user, "emailVerified"},
            {model::user, "createdAt"}};
        for (const auto& [m, name] : places) {
            const std::string column = names.column(m, name);
            if (!p.of(m).find(column)) continue;
            sql::statement ask{"SELECT typeof(" + quoted(column) + ") FROM " + p.of(m).name +
                                   " WHERE " + quoted(column) + " IS NOT NULL LIMIT 1",
                               {},
                               {}};
            const auto found = co_await db->read(std::move(ask));
            if (!found.rows.empty())
                co_return std::get<std::string>(found.rows.front().front()) == "integer";
        }
        co_return false;
    }

    std::string col(model m, std::string_view field) const {
        return quoted(names.column(m, field));
    }

    std::string new_id(ids how) {
        return how == ids::cuid ? make_cuid(random, clock.now()) : io::random_uuid(random);
    }

    template <class M>
    insertion insert(const plan& p, const M& m) {
        const table& t = p.of(schema<M>::which);
        insertion made;
        std::string columns, marks;
        const auto add = [&](const known_column& c, sql::value v) {
            columns += (columns.empty() ? "" : ", ") + quoted(c.name);
            marks += marks.empty() ? "?" : ", ?";
            made.s.values.push_back(std::move(v));
        };
        for (const auto& c : t.columns) {
            switch (c.role) {
                case role::field:
                    add(c, std::visit([&](auto at) { return field_writer{p.dates}(m.*at); },
                                      schema<M>::fields[c.field].at));
                    break;
                case role::row_id:
                    add(c, new_id(names.of().row_id));
                    break;
                case role::created:
                case role::updated:
                    add(c, write_date(p.dates, clock.now()));
                    break;
                case role::extra:
                    if constexpr (requires { m.more; })
                        for (const auto& x : m.more)
                            if (x.name == c.name) add(c, to_sql(x.val, c.kind, p.dates));
                    break;
            }
        }
        made.s.text = "INSERT INTO " + t.name + " (" + columns + ") SELECT " + marks;
        made.returning = " RETURNING " + t.list();
        return made;
    }

    // Not every layout forbids a second account or address; this does, in the same statement.
    void not_linked_yet(const plan& p, insertion& i, const account& a) const {
        const auto m = model::account;
        i.only_if("NOT EXISTS (SELECT 1 FROM " + p.of(m).name + " WHERE " + col(m, "provider") +
                      " = ? AND " + col(m, "providerAccountId") + " = ?)",
                  {a.provider, a.provider_account_id}, "this account is linked to a user already");
    }
    void address_is_free(const plan& p, insertion& i, const std::string& email) const {
        const auto m = model::user;
        i.only_if(
            "NOT EXISTS (SELECT 1 FROM " + p.of(m).name + " WHERE " + col(m, "email") + " = ?)",
            {email}, "a user with this account or address is there already");
    }

    // The one statement of a write that needs no transaction of its own.
    task<sql::result> write_one(sql::statement s) {
        std::vector<sql::statement> all;
        all.push_back(std::move(s));
        auto results = co_await db->write(std::move(all));
        co_return std::move(results.front());
    }

    sql::statement select_user(const plan& p, std::string_view where, std::string value) const {
        sql::statement s;
        s.text = "SELECT " + p.of(model::user).list() + " FROM " + p.of(model::user).name +
                 " WHERE " + col(model::user, where) + " = ? ORDER BY " + col(model::user, "id") +
                 " LIMIT 1";
        s.values.emplace_back(std::move(value));
        return s;
    }

    void choose_id(user& u) {
        if (u.id.empty() || names.of().user_id == ids::cuid) u.id = new_id(names.of().user_id);
    }

    // Rows of `m` that ended before `now`, at most `limit`: deletes that touch a row only while it
    // is as it was read (it may have been renewed since).
    template <class M, std::size_t Keys>
    task<std::vector<sql::statement>> expired(plan_ptr p, std::array<std::string_view, Keys> keys,
                                              instant now, std::size_t limit) {
        constexpr model m = schema<M>::which;
        const std::string ends = col(m, "expires");
        std::string wanted = ends, condition = ends + " = ?";
        for (const auto key : keys) {
            wanted += ", " + col(m, key);
            condition += " AND " + col(m, key) + " = ?";
        }
        // Text and numbers do not compare: rows written in another form are left to who uses them.
        const sql::value before = write_date(p->dates, now);
        sql::statement ask{"SELECT " + wanted + " FROM " + p->of(m).name + " WHERE " + ends +
                               " < ? AND typeof(" + ends + ") = typeof(?) LIMIT ?",
                           {before, before, static_cast<std::int64_t>(limit)},
                           {}};
        const auto found = co_await db->read(std::move(ask), true);
        std::vector<sql::statement> out;
        for (const auto& r : found.rows) {
            const auto ended = read_date(r.front());
            if (!ended || *ended >= now) continue;
            out.push_back({"DELETE FROM " + p->of(m).name + " WHERE " + condition, r, {}});
        }
        co_return out;
    }
};

sql_store::sql_store(std::unique_ptr<sql::database> db, layout names, io::clock& clock,
                     io::random& random)
    : impl_(new impl{std::move(db), std::move(names), clock, random, nullptr}) {}
sql_store::~sql_store() = default;

task<user> sql_store::create_user(user u) {
    const auto p = co_await impl_->ready();
    impl_->choose_id(u);
    auto s = impl_->insert(*p, u).done();
    const auto made = co_await impl_->write_one(std::move(s));
    co_return read_model<user>(p->of(model::user), made.rows.at(0));
}

task<std::optional<user>> sql_store::get_user(std::string id) {
    const auto p = co_await impl_->ready();
    auto s = impl_->select_user(*p, "id", std::move(id));
    const auto found = co_await impl_->db->read(std::move(s));
    co_return first_of<user>(p->of(model::user), found);
}

task<std::optional<user>> sql_store::get_user_by_email(std::string email) {
    const auto p = co_await impl_->ready();
    auto s = impl_->select_user(*p, "email", std::move(email));
    const auto found = co_await impl_->db->read(std::move(s));
    co_return first_of<user>(p->of(model::user), found);
}

task<std::optional<user>> sql_store::get_user_by_account(std::string provider,
                                                         std::string provider_account_id) {
    const auto p = co_await impl_->ready();
    sql::statement s;
    s.text = "SELECT " + p->of(model::user).list("u") + " FROM " + p->of(model::account).name +
             " a JOIN " + p->of(model::user).name + " u ON u." + impl_->col(model::user, "id") +
             " = a." + impl_->col(model::account, "userId") + " WHERE a." +
             impl_->col(model::account, "provider") + " = ? AND a." +
             impl_->col(model::account, "providerAccountId") + " = ? LIMIT 1";
    s.values = {std::move(provider), std::move(provider_account_id)};
    const auto found = co_await impl_->db->read(std::move(s));
    co_return first_of<user>(p->of(model::user), found);
}

task<user> sql_store::update_user(user changes) {
    const auto p = co_await impl_->ready();
    const table& t = p->of(model::user);
    sql::statement s;
    std::string set;
    const auto add = [&](const known_column& c, sql::value v) {
        set += (set.empty() ? "" : ", ") + quoted(c.name) + " = ?";
        s.values.push_back(std::move(v));
    };
    for (const auto& c : t.columns) {
        if (c.role == role::field) {
            const auto& f = schema<user>::fields[c.field];
            if (f.name == "id") continue;
            const auto v =
                std::visit([&](auto at) { return field_writer{p->dates}(changes.*at); }, f.at);
            if (!std::holds_alternative<std::nullptr_t>(v)) add(c, v);
        } else if (c.role == role::updated) {
            add(c, write_date(p->dates, impl_->clock.now()));
        } else {
            for (const auto& x : changes.more)
                if (x.name == c.name) add(c, to_sql(x.val, c.kind, p->dates));
        }
    }
    if (set.empty())
        set = quoted(impl_->names.column(model::user, "id")) + " = " +
              quoted(impl_->names.column(model::user, "id"));
    s.text = "UPDATE " + t.name + " SET " + set + " WHERE " + impl_->col(model::user, "id") +
             " = ? RETURNING " + t.list();
    s.values.emplace_back(std::move(changes.id));
    const auto changed = co_await impl_->write_one(std::move(s));
    if (changed.rows.empty())
        throw error(code::adapter_error, "the user to update is not there any more");
    co_return read_model<user>(t, changed.rows.front());
}

task<void> sql_store::delete_user(std::string id) {
    const auto p = co_await impl_->ready();
    std::vector<sql::statement> all;
    // By hand, whatever the foreign keys say: another process may have made the tables without.
    for (const auto m : {model::account, model::session, model::authenticator, model::user}) {
        if (p->of(m).name.empty()) continue;
        all.push_back({"DELETE FROM " + p->of(m).name + " WHERE " +
                           impl_->col(m, m == model::user ? "id" : "userId") + " = ?",
                       {id},
                       {}});
    }
    co_await impl_->db->write(std::move(all));
}

task<void> sql_store::link_account(account a) {
    const auto p = co_await impl_->ready();
    auto row = impl_->insert(*p, a);
    impl_->not_linked_yet(*p, row, a);
    auto s = std::move(row).done();
    co_await impl_->write_one(std::move(s));
}

task<void> sql_store::unlink_account(std::string provider, std::string provider_account_id) {
    const auto p = co_await impl_->ready();
    sql::statement s;
    s.text = "DELETE FROM " + p->of(model::account).name + " WHERE " +
             impl_->col(model::account, "provider") + " = ? AND " +
             impl_->col(model::account, "providerAccountId") + " = ?";
    s.values = {std::move(provider), std::move(provider_account_id)};
    co_await impl_->write_one(std::move(s));
}

task<session> sql_store::create_session(session one) {
    const auto p = co_await impl_->ready();
    auto s = impl_->insert(*p, one).done();
    const auto made = co_await impl_->write_one(std::move(s));
    co_return read_model<session>(p->of(model::session), made.rows.at(0));
}

task<std::optional<session_and_user>> sql_store::get_session_and_user(std::string token) {
    const auto p = co_await impl_->ready();
    const table &sessions = p->of(model::session), &users = p->of(model::user);
    sql::statement s{p->session_and_user, {}, {}};
    s.values.emplace_back(std::move(token));
    const auto found = co_await impl_->db->read(std::move(s));
    if (found.rows.empty()) co_return std::nullopt;
    session_and_user both;
    both.session = read_model<session>(sessions, found.rows.front());
    both.user = read_model<user>(users, found.rows.front(), sessions.columns.size());
    co_return both;
}

task<void> sql_store::update_session(std::string token, instant expires) {
    const auto p = co_await impl_->ready();
    sql::statement s;
    s.text = "UPDATE " + p->of(model::session).name + " SET " +
             impl_->col(model::session, "expires") + " = ?";
    s.values.push_back(write_date(p->dates, expires));
    for (const auto& c : p->of(model::session).columns) {
        if (c.role != role::updated) continue;
        s.text += ", " + quoted(c.name) + " = ?";
        s.values.push_back(write_date(p->dates, impl_->clock.now()));
    }
    s.text += " WHERE " + impl_->col(model::session, "sessionToken") + " = ?";
    s.values.emplace_back(std::move(token));
    co_await impl_->write_one(std::move(s));
}

task<std::optional<session>> sql_store::delete_session(std::string token) {
    const auto p = co_await impl_->ready();
    const table& t = p->of(model::session);
    sql::statement s;
    s.text = "DELETE FROM " + t.name + " WHERE " + impl_->col(model::session, "sessionToken") +
             " = ? RETURNING " + t.list();
    s.values.emplace_back(std::move(token));
    const auto gone = co_await impl_->write_one(std::move(s));
    co_return first_of<session>(t, gone);
}

task<void> sql_store::create_verification_token(verification_token v) {
    const auto p = co_await impl_->ready();
    auto s = impl_->insert(*p, v).done();
    co_await impl_->write_one(std::move(s));
}

task<std::optional<verification_token>> sql_store::use_verification_token(std::string identifier,
                                                                          std::string token) {
    const auto p = co_await impl_->ready();
    const table& t = p->of(model::verification_token);
    sql::statement s;
    s.text = "DELETE FROM " + t.name + " WHERE " +
             impl_->col(model::verification_token, "identifier") + " = ? AND " +
             impl_->col(model::verification_token, "token") + " = ? RETURNING " + t.list();
    s.values = {std::move(identifier), std::move(token)};
    const auto gone = co_await impl_->write_one(std::move(s));
    co_return first_of<verification_token>(t, gone);
}

task<adapter::signed_up> sql_store::create_signed_up(user u, std::optional<account> a,
                                                     std::optional<session> one) {
    const auto p = co_await impl_->ready();
    impl_->choose_id(u);
    std::vector<sql::statement> all;
    auto row = impl_->insert(*p, u);
    if (a) impl_->not_linked_yet(*p, row, *a);
    if (u.email) impl_->address_is_free(*p, row, *u.email);
    all.push_back(std::move(row).done());
    if (a) {
        a->user_id = u.id;
        all.push_back(impl_->insert(*p, *a).done());
    }
    if (one) {
        one->user_id = u.id;
        all.push_back(impl_->insert(*p, *one).done());
    }
    const auto made = co_await impl_->db->write(std::move(all));
    signed_up out;
    out.user = read_model<user>(p->of(model::user), made.front().rows.at(0));
    if (one) out.session = read_model<session>(p->of(model::session), made.back().rows.at(0));
    co_return out;
}

task<std::size_t> sql_store::remove_expired(instant now, std::size_t at_most) {
    const auto p = co_await impl_->ready();
    constexpr std::array<std::string_view, 1> session_key{"sessionToken"};
    constexpr std::array<std::string_view, 2> token_key{"identifier", "token"};
    auto all = co_await impl_->expired<session>(p, session_key, now, at_most);
    auto tokens =
        co_await impl_->expired<verification_token>(p, token_key, now, at_most - all.size());
    std::move(tokens.begin(), tokens.end(), std::back_inserter(all));
    if (all.empty()) co_return 0;
    const auto gone = co_await impl_->db->write(std::move(all));
    std::size_t n = 0;
    for (const auto& one : gone) n += static_cast<std::size_t>(one.changed);
    co_return n;
}

}  // namespace authjs::adapters
