#include "adapters/profiles.hpp"

#include <algorithm>
#include <charconv>

namespace authjs::adapters {

namespace {

// clang-format off
constexpr profile profiles[] = {
    {"sqlite",    dialect::sqlite, dates::ms,        naming::camel, ids::uuid, ids::none,
     {"user", "account", "session", "verificationToken", "authenticator"}, false, true},
    {"drizzle",   dialect::sqlite, dates::ms,        naming::camel, ids::uuid, ids::none,
     {"user", "account", "session", "verificationToken", "authenticator"}, false, false},
    {"kysely",    dialect::sqlite, dates::iso,       naming::camel, ids::uuid, ids::none,
     {"User", "Account", "Session", "VerificationToken", ""}, false, false},
    {"prisma",    dialect::sqlite, dates::offset,    naming::camel, ids::cuid, ids::cuid,
     {"User", "Account", "Session", "VerificationToken", "Authenticator"}, true, false},
    {"typeorm",   dialect::sqlite, dates::ms_digits, naming::camel, ids::uuid, ids::uuid,
     {"users", "accounts", "sessions", "verification_tokens", ""}, false, false},
    {"sequelize", dialect::sqlite, dates::spaced,    naming::snake, ids::uuid, ids::uuid,
     {"users", "accounts", "sessions", "verification_tokens", ""}, false, false},
    {"mikro-orm", dialect::sqlite, dates::ms,        naming::snake, ids::uuid, ids::uuid,
     {"user", "account", "session", "verification_token", ""}, false, false},
    {"d1",        dialect::sqlite, dates::iso,       naming::camel, ids::uuid, ids::uuid,
     {"users", "accounts", "sessions", "verification_tokens", ""}, false, false},
};
// clang-format on

constexpr std::string_view model_names[] = {"users", "accounts", "sessions", "verification_tokens",
                                            "authenticators"};

// emailVerified -> email_verified; refresh_token stays.
std::string snake_case(std::string_view camel) {
    std::string out;
    for (const char c : camel) {
        if (c >= 'A' && c <= 'Z') {
            out += '_';
            out += static_cast<char>(c - 'A' + 'a');
        } else {
            out += c;
        }
    }
    return out;
}

std::optional<std::int64_t> decimal(std::string_view text) {
    std::int64_t n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return n;
}

}  // namespace

std::string_view model_name(model m) noexcept { return model_names[static_cast<std::size_t>(m)]; }

const profile* find_profile(std::string_view name, dialect d) noexcept {
    const auto at = std::find_if(std::begin(profiles), std::end(profiles), [&](const profile& p) {
        return p.name == name && p.dialect == d;
    });
    return at == std::end(profiles) ? nullptr : at;
}

sql::value write_date(dates how, instant t) {
    const std::int64_t ms = t.time_since_epoch().count();
    std::string iso = iso_text(t);
    switch (how) {
        case dates::ms:
            return ms;
        case dates::ms_digits:
            return std::to_string(ms);
        case dates::iso:
            return iso;
        case dates::offset:
            iso.replace(iso.size() - 1, 1, "+00:00");
            return iso;
        case dates::spaced:
            iso[iso.find('T')] = ' ';
            iso.replace(iso.size() - 1, 1, " +00:00");
            return iso;
    }
    return nullptr;
}

std::optional<instant> read_date(const sql::value& v) {
    if (const auto* n = std::get_if<std::int64_t>(&v)) return instant(milliseconds(*n));
    if (const auto* n = std::get_if<double>(&v)) {
        if (!(*n > -9e15 && *n < 9e15)) return std::nullopt;
        return instant(milliseconds(static_cast<std::int64_t>(*n)));
    }
    const auto* text = std::get_if<std::string>(&v);
    if (text == nullptr) return std::nullopt;
    if (const auto n = decimal(*text)) return instant(milliseconds(*n));
    // `YYYY-MM-DD HH:MM:SS[.sss][ ][zone]`; without a zone it is UTC (SQLite's CURRENT_TIMESTAMP).
    std::string iso = *text;
    if (iso.size() > 10 && iso[10] == ' ') iso[10] = 'T';
    std::erase(iso, ' ');
    if (iso.size() > 10 && iso.find_first_of("Zz+-", 10) == std::string::npos) iso += 'Z';
    return from_iso(iso);
}

std::string layout::table(model m) const {
    const auto renamed = renamed_.find("table." + std::string(model_name(m)));
    if (renamed != renamed_.end()) return renamed->second;
    return std::string(profile_->tables[static_cast<std::size_t>(m)]);
}

std::string layout::column(model m, std::string_view field) const {
    const auto renamed =
        renamed_.find("column." + std::string(model_name(m)) + "." + std::string(field));
    if (renamed != renamed_.end()) return renamed->second;
    return profile_->columns == naming::snake ? snake_case(field) : std::string(field);
}

bool layout::rename(std::string_view option, std::string value) {
    const bool is_table = option.substr(0, 6) == "table.";
    if (!is_table && option.substr(0, 7) != "column.") return false;
    const std::string_view rest = option.substr(is_table ? 6 : 7);
    const std::string_view named = rest.substr(0, rest.find('.'));
    const auto known = std::find(std::begin(model_names), std::end(model_names), named);
    if (known == std::end(model_names) || value.empty()) return false;
    if (is_table ? rest != named : rest.size() < named.size() + 2) return false;
    renamed_.insert_or_assign(std::string(option), std::move(value));
    return true;
}

}  // namespace authjs::adapters
