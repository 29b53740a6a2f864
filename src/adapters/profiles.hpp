// Profiles: how each Auth.js adapter lays out its tables, as data, so that a database can be shared
// with the Node application that made it. One row per adapter and dialect.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/sql.hpp"
#include "util/time.hpp"

namespace authjs::adapters {

enum class dialect : unsigned char { sqlite };

// How an instant is written; whatever any of these writes is read back from any column.
enum class dates : unsigned char {
    ms,         // integer, milliseconds since 1970
    iso,        // 2024-02-29T12:34:56.789Z
    offset,     // 2024-02-29T12:34:56.789+00:00 (Prisma; integers where the table has integers)
    spaced,     // 2024-02-29 12:34:56.789 +00:00 (Sequelize)
    ms_digits,  // milliseconds since 1970 as decimal text
};
sql::value write_date(dates how, instant t);
std::optional<instant> read_date(const sql::value& v);

// Who makes the value of an `id` column: nobody (there is none), or we, as a UUID or a cuid.
enum class ids : unsigned char { none, uuid, cuid };

enum class model : unsigned char { user, account, session, verification_token, authenticator };
inline constexpr std::size_t models = 5;
std::string_view model_name(model m) noexcept;  // as in `table.users=`

enum class naming : unsigned char { camel, snake };

struct profile {
    std::string_view name;  // the adapter's own
    adapters::dialect dialect;
    adapters::dates dates;
    naming columns;
    ids user_id;  // uuid: the one that core made is kept
    ids row_id;   // of accounts, sessions and verification tokens that have such a column
    std::array<std::string_view, models> tables;  // in the order of `model`; empty: none
    bool stamps;  // createdAt and updatedAt are ours to fill (Prisma)
    bool ours;    // tables are made where there are none
};
const profile* find_profile(std::string_view name, dialect d) noexcept;

// A profile with the names that the operator changed: `table.users=people`,
// `column.users.emailVerified=verified_at`.
class layout {
public:
    explicit layout(const profile& p) : profile_(&p) {}
    const profile& of() const noexcept { return *profile_; }
    std::string table(model m) const;
    std::string column(model m, std::string_view field) const;
    // rename takes one option; false if it names no table or column of Auth.js.
    bool rename(std::string_view option, std::string value);
    bool operator==(const layout&) const = default;

private:
    const profile* profile_;
    std::map<std::string, std::string, std::less<>> renamed_;  // by option name
};

}  // namespace authjs::adapters
