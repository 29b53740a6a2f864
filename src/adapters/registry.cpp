#include "adapters/registry.hpp"

#include <algorithm>
#include <iterator>

#include "adapters/sql_store.hpp"

namespace authjs::adapters {

namespace {

// One row per adapter of Auth.js's documentation, and our own names. `scheme` is the spelling of a
// local file that only this adapter knows, beside sqlite: of all; `variable` holds the connection
// where the directive names none.
struct adapter_row {
    std::string_view name;
    bool here;
    std::string_view scheme, variable;
};
constexpr std::string_view bare_path = "/";
constexpr adapter_row rows[] = {
    {"sqlite", true, bare_path, ""},
    {"drizzle", true, "", "AUTH_DRIZZLE_URL"},
    {"kysely", true, "", ""},
    {"prisma", true, "file:", "DATABASE_URL"},
    {"typeorm", true, "", "AUTH_TYPEORM_CONNECTION"},
    {"sequelize", true, "", "DATABASE_URL"},
    {"mikro-orm", true, "", "DATABASE_CONNECTION_STRING"},
    {"d1", true, "", ""},
    {"azure-tables", false, "", ""},
    {"dgraph", false, "", ""},
    {"dynamodb", false, "", ""},
    {"edgedb", false, "", ""},
    {"fauna", false, "", ""},
    {"firebase", false, "", ""},
    {"hasura", false, "", ""},
    {"mongodb", false, "", ""},
    {"mysql", false, "", ""},
    {"neo4j", false, "", ""},
    {"neon", false, "", ""},
    {"pg", false, "", ""},
    {"postgres", false, "", ""},
    {"pouchdb", false, "", ""},
    {"redis", false, "", ""},
    {"supabase", false, "", ""},
    {"surrealdb", false, "", ""},
    {"unstorage", false, "", ""},
    {"upstash-redis", false, "", ""},
    {"xata", false, "", ""},
};

// The number of edits (insert, delete, replace) between two names.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> line(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) line[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t corner = std::exchange(line[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = line[j];
            line[j] = std::min({above + 1, line[j - 1] + 1, corner + (a[i - 1] != b[j - 1])});
            corner = above;
        }
    }
    return line.back();
}

std::string names_here() {
    std::string out;
    for (const auto& r : rows)
        if (r.here) out.append(out.empty() ? "" : ", ").append(r.name);
    return out;
}

planned wrong(std::string text) { return {std::nullopt, std::move(text)}; }

bool starts(std::string_view text, std::string_view with) {
    return text.substr(0, with.size()) == with;
}

// The file that a connection names; empty: it names none.
std::string file_of(const adapter_row& row, std::string_view connection) {
    std::string_view path;
    if (starts(connection, "sqlite:"))
        path = connection.substr(7);
    else if (row.scheme == "file:" && starts(connection, "file:"))
        path = connection.substr(5);
    else if (row.scheme == bare_path && connection.find(':') == std::string_view::npos)
        return std::string(connection);
    if (starts(path, "///")) path.remove_prefix(2);  // sqlite:///path
    if (starts(path, "//") || starts(path, ":")) return {};
    return std::string(path.substr(0, path.find('?')));  // Prisma's parameters are for its engine
}

}  // namespace

planned plan_store(const declaration& d, const variables& environment) {
    const auto row = std::find_if(std::begin(rows), std::end(rows),
                                  [&](const adapter_row& r) { return r.name == d.name; });
    if (row == std::end(rows)) {
        const auto near = std::min_element(
            std::begin(rows), std::end(rows), [&](const adapter_row& a, const adapter_row& b) {
                return distance(a.name, d.name) < distance(b.name, d.name);
            });
        return wrong("unknown adapter \"" + d.name + "\", did you mean \"" +
                     std::string(near->name) + "\"?");
    }
    if (!row->here)
        return wrong("adapter \"" + d.name + "\" is not in this version: it has " + names_here() +
                     ", on SQLite");

    std::string connection = d.connection;
    if (connection.empty() && !row->variable.empty())
        connection = environment(row->variable).value_or("");
    const std::string usage = "auth_js_adapter " + d.name +
                              (row->scheme == bare_path ? " /var/lib/nginx/auth_js/auth.db"
                               : row->scheme.empty()    ? " sqlite:/path/to/file.db"
                                                        : " file:/path/to/file.db");
    if (connection.empty())
        return wrong(
            "adapter \"" + d.name + "\" needs a database: write \"" + usage + "\"" +
            (row->variable.empty() ? std::string() : " or set " + std::string(row->variable)));
    for (const std::string_view other : {"postgres:", "postgresql:", "mysql:", "mariadb:",
                                         "mongodb:", "http:", "https:", "libsql:"})
        if (starts(connection, other))
            return wrong("adapter \"" + d.name + "\" on \"" + std::string(other) +
                         "\" is not in this version: write \"" + usage + "\"");

    store_plan plan{d.name, layout(*find_profile(d.name, dialect::sqlite)), {}, false};
    plan.path = file_of(*row, connection);
    if (plan.path.empty() || plan.path.back() == '/' || plan.path.find('\0') != std::string::npos)
        return wrong("the connection of adapter \"" + d.name + "\" names no SQLite file: write \"" +
                     usage + "\"");
    plan.create = plan.names.of().ours;
    for (const auto& [name, value] : d.options)
        if (!plan.names.rename(name, value))
            return wrong("adapter \"" + d.name + "\" has no option \"" + name +
                         "\": it takes names, such as table.users=people and "
                         "column.users.emailVerified=verified_at");
    return {std::move(plan), {}};
}

std::unique_ptr<adapter> open_store(const store_plan& plan, store_ports io) {
    sqlite_options options;
    options.path = plan.path;
    options.create = plan.create;
    auto db = std::make_unique<sqlite>(std::move(options), io.loop, io.pool, io.log);
    return std::make_unique<sql_store>(std::move(db), plan.names, io.clock, io.random);
}

}  // namespace authjs::adapters
