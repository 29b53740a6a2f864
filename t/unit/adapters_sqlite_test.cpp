// SQLite in the layout of every adapter that speaks it, and what can go wrong with a file.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "adapters/registry.hpp"
#include "adapters/sqlite.hpp"
#include "adapters_suite.hpp"

namespace authjs::test {

namespace {

namespace fs = std::filesystem;

std::string quote(std::string_view name) { return '"' + std::string(name) + '"'; }

std::string names(const json::value& list) {
    std::string out;
    for (const auto& n : *list.as_array()) out += (out.empty() ? "" : ", ") + quote(*n.as_string());
    return out;
}

// CREATE TABLE as the catalog of a database made by the real tool describes it.
std::string ddl(const std::string& table, const json::value& t) {
    std::string sql = "CREATE TABLE " + quote(table) + " (";
    for (const auto& c : *t.find("columns")->as_array()) {
        sql += quote(c.text("name")) + " " + std::string(c.text("type"));
        if (!c.find("nullable")->truthy()) sql += " NOT NULL";
        if (const auto* d = c.find("default")) sql += " DEFAULT " + *d->as_string();
        sql += ", ";
    }
    if (!t.find("primaryKey")->as_array()->empty())
        sql += "PRIMARY KEY (" + names(*t.find("primaryKey")) + "), ";
    for (const auto& u : *t.find("unique")->as_array())
        sql += "UNIQUE (" + names(*u.find("columns")) + "), ";
    for (const auto& f : *t.find("foreignKeys")->as_array())
        sql += "FOREIGN KEY (" + names(*f.find("columns")) + ") REFERENCES " +
               quote(f.text("table")) + " (" + names(*f.find("references")) + ") ON DELETE " +
               std::string(f.text("onDelete")) + ", ";
    sql.resize(sql.size() - 2);
    return sql + ");";
}

// A connection of somebody else, such as a Node process.
class other {
public:
    explicit other(const std::string& path) {
        if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK)
            throw std::runtime_error("cannot open " + path);
        sqlite3_busy_timeout(db_, 2'000);
    }
    ~other() { sqlite3_close(db_); }
    other(const other&) = delete;
    // run answers the first column of the first row.
    std::string run(const std::string& sql) {
        std::string out;
        char* message = nullptr;
        const auto keep = [](void* to, int n, char** values, char**) {
            if (n > 0 && values[0] && static_cast<std::string*>(to)->empty())
                *static_cast<std::string*>(to) = values[0];
            return 0;
        };
        if (sqlite3_exec(db_, sql.c_str(), keep, &out, &message) != SQLITE_OK)
            throw std::runtime_error(message ? message : "sqlite3_exec");
        return out;
    }

private:
    sqlite3* db_ = nullptr;
};

std::string folder() {
    struct made {
        std::string name = (fs::temp_directory_path() / "auth_js_store_XXXXXX").string();
        made() {
            if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
        }
        ~made() { fs::remove_all(name); }
    };
    static const made the;
    return the.name;
}

struct sqlite_layout final : implementation {
    std::string path;
    store_plan plan;
    std::string tables;  // to be made by the test; empty: the module makes them

    explicit sqlite_layout(const std::string& adapter, const json::value* catalog)
        : path(folder() + "/" + adapter + ".db"), plan(planned_for(adapter, path)) {
        name = adapter;
        stores_ids_of_core = adapter != "prisma";
        if (plan.create) return;
        for (const auto& t : *catalog->find(adapter)->as_object()) tables += ddl(t.name, t.val);
    }

    static store_plan planned_for(const std::string& adapter, const std::string& path) {
        const auto none = [](std::string_view) { return std::nullopt; };
        auto p = plan_store({adapter, "sqlite:" + path, {}}, none);
        if (!p.plan) throw std::runtime_error(p.wrong);
        return *p.plan;
    }

    void begin() override {
        for (const auto* tail : {"", "-wal", "-shm", "-journal"}) fs::remove(path + tail);
        if (!tables.empty()) other(path).run(tables);
        clock = fixed_clock();
        shared = leases();
        log.lines.clear();
    }
    std::unique_ptr<adapter> open() override {
        return open_store(plan, {clock, random, log, on, pool});
    }
    bool add_column(std::string model, std::string column) override {
        if (plan.create) on.run(open()->get_user("make the tables"));
        const auto which = model == "users" ? adapters::model::user : adapters::model::account;
        other(path).run("ALTER TABLE " + quote(plan.names.table(which)) + " ADD COLUMN " +
                        quote(column) + " text");
        return true;
    }
};

sqlite_layout& ours() {
    static sqlite_layout made("sqlite", nullptr);
    return made;
}
sqlite_layout& prisma() {
    static const auto file =
        json::parse(file_text("t/vectors/sql/sqlite-layouts.json"), {1 << 20, 16});
    static sqlite_layout made("prisma", file->find("layouts"));
    return made;
}

// --- the file ---

static void the_file_is_private(void**) {
    auto& i = ours();
    i.begin();
    i.on.run(i.open()->create_user(ada()));
    for (const auto* tail : {"", "-wal", "-shm"}) {
        struct stat st;
        if (::stat((i.path + tail).c_str(), &st) != 0) continue;
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void two_workers_make_the_tables_at_once(void**) {
    auto& i = ours();
    for (int round = 0; round < 5; ++round) {
        i.begin();
        const auto one = i.open(), two = i.open();
        auto a = one->create_user(ada());
        user bob = ada();
        bob.id += "b", bob.email = "bob@example.com";
        auto b = two->create_user(bob);
        a.start();
        b.start();
        i.on.run_until([&] { return a.done() && b.done(); });
        a.result();
        b.result();
    }
    assert_text(other(i.path).run("PRAGMA journal_mode"), "wal");
    assert_text(other(i.path).run("PRAGMA user_version"), "1");
}

static void the_schema_is_drizzles(void**) {
    auto& i = ours();
    i.begin();
    i.on.run(i.open()->get_user(""));
    other db(i.path);
    const auto file = json::parse(file_text("t/vectors/sql/sqlite-layouts.json"), {1 << 20, 16});
    int columns = 0;
    for (const auto& t : *file->find("layouts")->find("drizzle")->as_object())
        for (const auto& c : *t.val.find("columns")->as_array()) {
            const auto have =
                db.run("SELECT upper(type) || (1 - \"notnull\") FROM pragma_table_info('" + t.name +
                       "') WHERE name = '" + std::string(c.text("name")) + "'");
            assert_text(have,
                        std::string(c.text("type")) + (c.find("nullable")->truthy() ? "1" : "0"));
            ++columns;
        }
    assert_int_equal(columns, 30);
}

// --- other people's rows ---

static void dates_of_every_writer_are_read(void**) {
    const sql::value forms[] = {std::int64_t{1'709'210'096'789},
                                1709210096789.0,
                                "1709210096789",
                                "2024-02-29T12:34:56.789Z",
                                "2024-02-29T12:34:56.789+00:00",
                                "2024-02-29 12:34:56.789 +00:00",
                                "2024-02-29 13:34:56.789+01:00"};
    for (const auto& f : forms) assert_true(read_date(f) == moment);
    assert_true(read_date("2024-02-29 12:34:56") == moment - milliseconds(789));
    for (const sql::value& f : {sql::value(nullptr), sql::value("soon"), sql::value("")})
        assert_false(read_date(f).has_value());
}

static void prisma_numbers_stay_numbers(void**) {
    auto& i = prisma();
    i.begin();
    other db(i.path);
    db.run(
        "INSERT INTO \"User\" (id, email, emailVerified, createdAt, updatedAt) VALUES "
        "('u', 'a@example.com', 1709210096789, 1709210096789, 1709210096789)");
    const auto store = i.open();
    i.on.run(store->create_session(browser("u")));
    assert_text(db.run("SELECT typeof(expires) || expires FROM Session"), "integer1709210096789");
    const auto both = i.on.run(store->get_session_and_user("token-1"));
    assert_true(both && both->user.email_verified == moment);
    // Without a row to learn from: text.
    i.begin();
    const auto fresh = i.open();
    const auto made = i.on.run(fresh->create_user(ada()));
    i.on.run(fresh->create_session(browser(made.id)));
    other anew(i.path);
    assert_text(anew.run("SELECT expires FROM Session"), "2024-02-29T12:34:56.789+00:00");
    assert_int_equal(made.id.size(), 25);
    assert_int_equal(anew.run("SELECT id FROM Session").size(), 25);
    assert_text(anew.run("SELECT createdAt = updatedAt FROM \"User\""), "1");
}

static void a_missing_table_is_named(void**) {
    auto& i = prisma();
    i.begin();
    other(i.path).run("DROP TABLE \"VerificationToken\"");
    const auto failed = failure_of([&] { i.on.run(i.open()->get_user("x")); });
    assert_true(failed && failed->id() == code::unavailable);
    assert_non_null(strstr(failed->what(), "VerificationToken"));
}

static void renamed_tables_and_columns(void**) {
    auto& i = ours();
    i.begin();
    i.on.run(i.open()->get_user(""));
    other(i.path).run(
        "ALTER TABLE user RENAME TO people; ALTER TABLE people RENAME COLUMN "
        "emailVerified TO verified_at");
    auto plan = i.plan;
    assert_true(plan.names.rename("table.users", "people"));
    assert_true(plan.names.rename("column.users.emailVerified", "verified_at"));
    assert_false(plan.names.rename("table.nobody", "x"));
    assert_false(plan.names.rename("column.users", "x"));
    const auto store = open_store(plan, {i.clock, i.random, i.log, i.on, i.pool});
    user u = ada();
    u.email_verified = moment;
    const auto made = i.on.run(store->create_user(u));
    const auto found = i.on.run(store->get_user(made.id));
    assert_true(found && found->email_verified == moment && found->more.empty());
}

// --- [sec 102] what can go wrong with a file: an error that says what, in time, and recovery ---

template <class T>
void assert_unavailable(implementation& i, task<T> t, const char* says) {
    const auto begun = std::chrono::steady_clock::now();
    const auto failed = failure_of([&] { i.on.run(std::move(t)); });
    const auto took = std::chrono::steady_clock::now() - begun;
    assert_true(failed.has_value());
    if (failed->id() != code::unavailable || !strstr(failed->what(), says))
        fail_msg("%s", failed->what());
    assert_true(took < std::chrono::seconds(6));
}

static void a_locked_database(void**) {
    auto& i = ours();
    i.begin();
    const auto store = i.open();
    i.on.run(store->create_signed_up(ada(), github(""), browser("")));
    other db(i.path);
    db.run("BEGIN IMMEDIATE");
    // Readers do not wait for a writer.
    assert_true(i.on.run(store->get_session_and_user("token-1")).has_value());
    assert_unavailable(i, store->delete_session("token-1"), "locked");
    db.run("COMMIT");
    assert_true(i.on.run(store->delete_session("token-1")).has_value());
}

static void a_database_locked_for_readers(void**) {
    auto& i = prisma();
    i.begin();
    const auto store = i.open();
    {
        other db(i.path);
        db.run("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
        assert_unavailable(i, store->get_user("x"), "locked");
    }
    i.on.run(store->get_user("x"));
}

static void a_queue_behind_a_lock_is_not_a_hang(void**) {
    auto& i = ours();
    i.begin();
    const auto store = i.open();
    i.on.run(store->get_user(""));
    other db(i.path);
    db.run("BEGIN IMMEDIATE");
    std::vector<task<void>> waiting;
    for (int n = 0; n < 30; ++n) waiting.push_back(store->create_verification_token(link()));
    const auto begun = std::chrono::steady_clock::now();
    for (auto& t : waiting) t.start();
    i.on.run_until([&] {
        return std::all_of(waiting.begin(), waiting.end(), [](auto& t) { return t.done(); });
    });
    assert_true(std::chrono::steady_clock::now() - begun < std::chrono::seconds(8));
    for (auto& t : waiting) {
        const auto failed = failure_of([&] { t.result(); });
        assert_true(failed && failed->id() == code::unavailable);
    }
}

static void a_full_disk(void**) {
    auto& i = ours();
    i.begin();
    const auto store = i.open();
    i.on.run(store->create_signed_up(ada(), github(""), browser("")));
    // Every connection opened from now on finds the disk full after the pages that there are.
    const auto limit = [](sqlite3* db, char**, const sqlite3_api_routines*) {
        return sqlite3_exec(db, "PRAGMA max_page_count = 1", nullptr, nullptr, nullptr);
    };
    int (*entry)(sqlite3*, char**, const sqlite3_api_routines*) = limit;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(entry));
    const auto full = i.open();
    user big = ada();
    big.id += "2", big.email = "big@example.com", big.image = std::string(200'000, 'x');
    assert_unavailable(i, full->create_signed_up(big, github("", "2"), browser("", "t2")),
                       "disk is full");
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(entry));
    assert_true(i.on.run(full->get_session_and_user("token-1")).has_value());
    assert_false(i.on.run(store->get_user_by_email("big@example.com")).has_value());
    i.on.run(store->create_signed_up(big, github("", "2"), browser("", "t2")));
    assert_text(other(i.path).run("PRAGMA integrity_check"), "ok");
}

static void a_read_only_file(void**) {
    auto& i = ours();
    i.begin();
    i.on.run(i.open()->create_signed_up(ada(), github(""), browser("")));
    other(i.path).run("PRAGMA journal_mode = DELETE");
    ::chmod(i.path.c_str(), 0444);
    ::chmod(folder().c_str(), 0755);
    if (::geteuid() == 0 && ::seteuid(65534) != 0) skip();
    const auto store = i.open();
    const auto session = failure_of(
        [&] { assert_true(i.on.run(store->get_session_and_user("token-1")).has_value()); });
    const auto write = failure_of([&] { i.on.run(store->delete_session("token-1")); });
    if (::getuid() == 0 && ::seteuid(0) != 0) skip();
    ::chmod(i.path.c_str(), 0600);
    ::chmod(folder().c_str(), 0700);
    assert_false(session.has_value());
    assert_true(write && write->id() == code::unavailable);
    assert_non_null(strstr(write->what(), "read-only"));
    assert_true(i.on.run(store->delete_session("token-1")).has_value());
}

static void a_folder_that_is_not_there(void**) {
    auto& i = ours();
    auto plan = i.plan;
    plan.path = folder() + "/none/auth.db";
    const auto store = open_store(plan, {i.clock, i.random, i.log, i.on, i.pool});
    assert_unavailable(i, store->get_user("x"), "cannot be opened");
    fs::create_directory(folder() + "/none");
    i.on.run(store->create_user(ada()));
}

static void a_corrupt_file(void**) {
    auto& i = ours();
    i.begin();
    const auto store = i.open();
    i.on.run(store->create_signed_up(ada(), github(""), browser("")));
    other(i.path).run("PRAGMA wal_checkpoint(TRUNCATE)");
    const int fd = ::open(i.path.c_str(), O_RDWR);
    const std::string rubbish(4096, '\xa5');
    const auto size = ::lseek(fd, 0, SEEK_END);
    for (off_t at = 4096; at < size; at += 4096)
        assert_int_equal(::pwrite(fd, rubbish.data(), rubbish.size(), at), 4096);
    ::close(fd);
    assert_unavailable(i, i.open()->get_user(ada().id), "damaged");
    fs::resize_file(i.path, 0);
    std::ofstream(i.path) << std::string(8192, 'x');
    assert_unavailable(i, i.open()->get_user(ada().id), "not an SQLite database");
}

static void a_file_deleted_under_us(void**) {
    auto& i = ours();
    i.begin();
    const auto store = i.open();
    const auto made = i.on.run(store->create_signed_up(ada(), github(""), browser("")));
    other(i.path).run("PRAGMA wal_checkpoint(TRUNCATE)");
    fs::copy_file(i.path, i.path + ".backup", fs::copy_options::overwrite_existing);
    for (const auto* tail : {"", "-wal", "-shm"}) fs::remove(i.path + tail);
    assert_unavailable(i, store->get_session_and_user("token-1"), "gone");
    assert_unavailable(i, store->create_session(browser(made.user.id, "t2")), "gone");
    assert_false(fs::exists(i.path));  // never a new, empty store
    fs::rename(i.path + ".backup", i.path);
    assert_true(i.on.run(store->get_session_and_user("token-1")).has_value());
    i.on.run(store->create_session(browser(made.user.id, "t2")));
    assert_true(i.on.run(store->get_session_and_user("t2")).has_value());
}

// What is written afterwards must not go into a log that nobody finds any more.
static void a_log_deleted_under_us(void**) {
    auto& i = ours();
    i.begin();
    const auto store = i.open();
    const auto made = i.on.run(store->create_signed_up(ada(), github(""), browser("")));
    assert_true(i.on.run(store->get_session_and_user("token-1")).has_value());
    other(i.path).run("PRAGMA wal_checkpoint(TRUNCATE)");
    for (const auto* tail : {"-wal", "-shm"}) fs::remove(i.path + tail);
    i.on.run(store->create_session(browser(made.user.id, "t2")));
    assert_true(i.on.run(store->get_session_and_user("t2")).has_value());
    assert_true(i.on.run(i.open()->get_session_and_user("t2")).has_value());
    assert_text(other(i.path).run("PRAGMA integrity_check"), "ok");
}

static void a_user_without_a_row_has_no_session(void**) {  // [sec 97]
    auto& i = ours();
    i.begin();
    const auto store = i.open();
    const auto made = i.on.run(store->create_signed_up(ada(), github(""), browser("")));
    other(i.path).run("PRAGMA foreign_keys = OFF; DELETE FROM user");
    assert_false(i.on.run(store->get_session_and_user("token-1")).has_value());
    assert_false(i.on.run(store->get_user_by_account("github", "583231")).has_value());
}

// --- the registry ---

static void connections_as_each_adapter_spells_them(void**) {
    const variables env = [](std::string_view name) -> std::optional<std::string> {
        if (name == "DATABASE_URL") return "file:./dev.db";
        if (name == "AUTH_DRIZZLE_URL") return "sqlite:/var/drizzle.db";
        return std::nullopt;
    };
    const auto path = [&](const char* name, const char* connection) {
        const auto p = plan_store({name, connection, {}}, env);
        return p.plan ? p.plan->path : "! " + p.wrong;
    };
    assert_text(path("sqlite", "/var/lib/auth.db"), "/var/lib/auth.db");
    assert_text(path("sqlite", "auth.db"), "auth.db");
    assert_text(path("sqlite", "sqlite:/var/lib/auth.db"), "/var/lib/auth.db");
    assert_text(path("typeorm", "sqlite:///var/lib/auth.db"), "/var/lib/auth.db");
    assert_text(path("prisma", "file:/var/lib/auth.db?connection_limit=1"), "/var/lib/auth.db");
    assert_text(path("prisma", ""), "./dev.db");
    assert_text(path("drizzle", ""), "/var/drizzle.db");
    assert_text(path("sequelize", ""),
                "! the connection of adapter \"sequelize\" names no SQLite file: write "
                "\"auth_js_adapter sequelize sqlite:/path/to/file.db\"");
    assert_text(path("typeorm", ""),
                "! adapter \"typeorm\" needs a database: write \"auth_js_adapter typeorm "
                "sqlite:/path/to/file.db\" or set AUTH_TYPEORM_CONNECTION");
    assert_text(path("kysely", "postgres://u:p@h/db"),
                "! adapter \"kysely\" on \"postgres:\" is not in this version: write "
                "\"auth_js_adapter kysely sqlite:/path/to/file.db\"");
    assert_text(path("pg", "postgres://u:p@h/db"),
                "! adapter \"pg\" is not in this version: it has sqlite, drizzle, kysely, prisma, "
                "typeorm, sequelize, mikro-orm, d1, on SQLite");
    assert_text(path("sqllite", "/x"), "! unknown adapter \"sqllite\", did you mean \"sqlite\"?");
    assert_text(plan_store({"sqlite", "/x", {{"tables.users", "x"}}}, env).wrong,
                "adapter \"sqlite\" has no option \"tables.users\": it takes names, such as "
                "table.users=people and column.users.emailVerified=verified_at");
    for (const auto* connection :
         {":memory:", "sqlite::memory:", "sqlite://host/db", "file:/x", "/var/lib/nginx/"})
        assert_false(plan_store({"sqlite", connection, {}}, env).plan.has_value());
}

}  // namespace

}  // namespace authjs::test

int main() {
    using namespace authjs::test;
    using authjs::test::sqlite_layout;
    const auto file =
        authjs::json::parse(file_text("t/vectors/sql/sqlite-layouts.json"), {1 << 20, 16});
    std::vector<std::unique_ptr<sqlite_layout>> layouts;
    std::vector<implementation*> all{&ours()};
    for (const auto* name :
         {"drizzle", "kysely", "prisma", "typeorm", "sequelize", "mikro-orm", "d1"}) {
        layouts.push_back(std::make_unique<sqlite_layout>(name, file->find("layouts")));
        all.push_back(layouts.back().get());
    }
    auto tests = all_of(all);
    for (const auto& t :
         {unit(the_file_is_private), unit(two_workers_make_the_tables_at_once),
          unit(the_schema_is_drizzles), unit(dates_of_every_writer_are_read),
          unit(prisma_numbers_stay_numbers), unit(a_missing_table_is_named),
          unit(renamed_tables_and_columns), unit(a_locked_database),
          unit(a_database_locked_for_readers), unit(a_queue_behind_a_lock_is_not_a_hang),
          unit(a_full_disk), unit(a_read_only_file), unit(a_folder_that_is_not_there),
          unit(a_corrupt_file), unit(a_file_deleted_under_us), unit(a_log_deleted_under_us),
          unit(a_user_without_a_row_has_no_session), unit(connections_as_each_adapter_spells_them)})
        tests.push_back(t);
    return _cmocka_run_group_tests("adapters/sqlite", tests.data(), tests.size(), nullptr, nullptr);
}
