#include "adapters/sqlite.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <optional>
#include <thread>
#include <unordered_map>

#include "util/error.hpp"
#include "util/owned.hpp"

namespace authjs::adapters {

namespace {

using sql::result;
using sql::row;
using sql::statement;
using sql::value;
using sqlite_db = owned<sqlite3, sqlite3_close>;
using sqlite_stmt = owned<sqlite3_stmt, sqlite3_finalize>;

constexpr char schema[] =
#include "sqlite.sql.inc"
    ;
constexpr int schema_version = 1;  // the last "-- version N" of sql/sqlite.sql
constexpr std::size_t statements_kept = 64;
constexpr std::size_t writes_queued = 1024;

// The part of the schema that belongs to one version: from its marker to the next.
std::string schema_step(int version) {
    const std::string_view all = schema;
    const auto from = all.find("-- version " + std::to_string(version));
    const auto to = all.find("-- version " + std::to_string(version + 1));
    return std::string(all.substr(from, to == std::string_view::npos ? to : to - from));
}

bool is_busy(int rc) noexcept {
    const int primary = rc & 0xff;
    return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL;
}

// One row per result code that means "cannot be asked", with what the administrator should know.
// All others are the database saying no to this statement.
struct failure_row {
    int code;
    const char* says;
    bool reopen;  // the connection is no good any more
};
constexpr failure_row failures[] = {
    {SQLITE_BUSY, "another process keeps the database locked", false},
    {SQLITE_LOCKED, "another connection keeps a table locked", false},
    {SQLITE_PROTOCOL, "another process keeps the database locked", false},
    {SQLITE_FULL, "the disk is full", false},
    {SQLITE_READONLY, "the database cannot be written: file or directory are read-only", true},
    {SQLITE_IOERR, "reading or writing the file failed", true},
    {SQLITE_CORRUPT, "the file is damaged (sqlite3 FILE 'pragma integrity_check' says where)",
     true},
    {SQLITE_NOTADB, "the file is not an SQLite database", true},
    {SQLITE_CANTOPEN, "the file, or its -wal or -shm, cannot be opened", true},
    {SQLITE_PERM, "permission denied", true},
    {SQLITE_AUTH, "permission denied", true},
    {SQLITE_NOMEM, "out of memory", true},
    {SQLITE_INTERRUPT, "interrupted", false},
};
const failure_row* failure_of(int rc) noexcept {
    for (const auto& f : failures)
        if (f.code == (rc & 0xff)) return &f;
    return nullptr;
}

// What SQLite answered, before it becomes an error or another attempt.
struct sqlite_failure {
    int code;
    std::string message;  // SQLite's own: it names tables and columns, never values
};

[[noreturn]] void give_up(const sqlite_failure& f, const std::string& path) {
    const failure_row* known = failure_of(f.code);
    error e(known ? code::unavailable : code::adapter_error,
            std::string("SQLite: ") + (known ? known->says : f.message.c_str()));
    e.with("file", path).with("code", std::to_string(f.code));
    if (known) e.with("sqlite", f.message);
    if (f.code == SQLITE_CONSTRAINT_UNIQUE || f.code == SQLITE_CONSTRAINT_PRIMARYKEY)
        throw std::move(e).because("taken");
    throw e;
}

// Which file a connection was opened on: replacing or removing it, or its log, must not go
// unnoticed: what is written to a log that has no name any more is lost.
struct identity {
    dev_t device = 0;
    ino_t inode = 0, log = 0;  // log: 0 where there is none (yet)
};
std::optional<identity> identity_of(const std::string& path) {
    struct stat st;
    if (::stat(path.c_str(), &st) != 0) return std::nullopt;
    identity out{st.st_dev, st.st_ino, 0};
    if (::stat((path + "-wal").c_str(), &st) == 0) out.log = st.st_ino;
    return out;
}

// One connection and its prepared statements. Used by one thread at a time.
class connection {
public:
    connection(const std::string& path, int flags, milliseconds busy) {
        sqlite3* raw = nullptr;
        const int rc = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
        db_.reset(raw);
        if (rc != SQLITE_OK)
            throw sqlite_failure{rc, raw ? sqlite3_errmsg(raw) : sqlite3_errstr(rc)};
        sqlite3_extended_result_codes(raw, 1);
        patience(busy);
        sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
        script("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;");
        opened_on_ = identity_of(path);
    }

    void script(const std::string& text) {
        const int rc = sqlite3_exec(db_.get(), text.c_str(), nullptr, nullptr, nullptr);
        if (rc != SQLITE_OK) fail(rc);
    }

    result run(const statement& s) {
        sqlite3_stmt* st = prepared(s.text);
        const struct resetting {
            sqlite3_stmt* st;
            ~resetting() {
                sqlite3_reset(st);
                sqlite3_clear_bindings(st);
            }
        } at_the_end{st};
        for (std::size_t i = 0; i < s.values.size(); ++i)
            bind(st, static_cast<int>(i) + 1, s.values[i]);
        result out;
        int rc;
        while ((rc = sqlite3_step(st)) == SQLITE_ROW) out.rows.push_back(read_row(st));
        if (rc != SQLITE_DONE) fail(rc);
        if (!sqlite3_stmt_readonly(st)) out.changed = sqlite3_changes64(db_.get());
        return out;
    }

    // An extended code tells more, but not always: a connection may answer by its primary one.
    [[noreturn]] void fail(int rc) const { throw sqlite_failure{rc, sqlite3_errmsg(db_.get())}; }

    void patience(milliseconds busy) noexcept {
        sqlite3_busy_timeout(db_.get(), static_cast<int>(busy.count()));
    }

    bool in_transaction() const noexcept { return !sqlite3_get_autocommit(db_.get()); }

    // is_on: whether this is a connection to what is there now. The log is made after it.
    bool is_on(const std::optional<identity>& now) noexcept {
        if (!now || !opened_on_) return false;
        if (opened_on_->log == 0) opened_on_->log = now->log;
        return opened_on_->device == now->device && opened_on_->inode == now->inode &&
               opened_on_->log == now->log;
    }

private:
    sqlite3_stmt* prepared(const std::string& text) {
        const auto known = statements_.find(text);
        if (known != statements_.end()) return known->second.get();
        sqlite3_stmt* st = nullptr;
        const int rc =
            sqlite3_prepare_v3(db_.get(), text.c_str(), static_cast<int>(text.size()) + 1,
                               SQLITE_PREPARE_PERSISTENT, &st, nullptr);
        if (rc != SQLITE_OK) fail(rc);
        if (statements_.size() >= statements_kept) statements_.clear();
        return statements_.emplace(text, sqlite_stmt(st)).first->second.get();
    }

    void bind(sqlite3_stmt* st, int at, const value& v) const {
        int rc = SQLITE_OK;
        if (const auto* n = std::get_if<std::int64_t>(&v))
            rc = sqlite3_bind_int64(st, at, *n);
        else if (const auto* d = std::get_if<double>(&v))
            rc = sqlite3_bind_double(st, at, *d);
        else if (const auto* text = std::get_if<std::string>(&v))
            rc =
                sqlite3_bind_text64(st, at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
        else
            rc = sqlite3_bind_null(st, at);
        if (rc != SQLITE_OK) fail(rc);
    }

    static row read_row(sqlite3_stmt* st) {
        row out;
        const int n = sqlite3_column_count(st);
        out.reserve(static_cast<std::size_t>(n));
        for (int i = 0; i < n; ++i) {
            switch (sqlite3_column_type(st, i)) {
                case SQLITE_NULL:
                    out.emplace_back(nullptr);
                    break;
                case SQLITE_INTEGER:
                    out.emplace_back(static_cast<std::int64_t>(sqlite3_column_int64(st, i)));
                    break;
                case SQLITE_FLOAT:
                    out.emplace_back(sqlite3_column_double(st, i));
                    break;
                default: {  // text, or bytes that are taken for text
                    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(st, i));
                    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(st, i));
                    out.emplace_back(std::string(bytes ? bytes : "", size));
                }
            }
        }
        return out;
    }

    std::optional<identity> opened_on_;
    sqlite_db db_;  // destroyed after its statements
    std::unordered_map<std::string, sqlite_stmt> statements_;
};

// The connection for writing, and all that happens in the pool. It belongs to the job that uses it;
// jobs come one after the other.
class writer {
public:
    writer(std::string path, bool create, milliseconds patience)
        : path_(std::move(path)), create_(create), patience_(patience) {}

    // open makes file and tables where it may, once; later a missing file is an error.
    void open() {
        if (create_) make_file();
        db_.emplace(path_, SQLITE_OPEN_READWRITE, patience_);
        use_log();
        if (create_) migrate();
        create_ = false;
    }

    // `waited`: how long the job stood in the queue; it counts as patience, so that a lock that
    // does not go away holds up no job for longer than one job's share.
    std::vector<result> transact(const std::vector<statement>& all, milliseconds waited) {
        try {
            check_file();
            if (!db_) open();
            db_->patience(std::max(patience_ - waited, milliseconds(20)));
            return attempt(all);
        } catch (const sqlite_failure& f) {
            const failure_row* known = failure_of(f.code);
            if (known && known->reopen) db_.reset();
            give_up(f, path_);
        }
    }

private:
    // Readers and a writer at once. NORMAL: a commit survives the death of any process; the last
    // ones may be lost with the machine's power, and the file stays whole. Of two connections that
    // both read and want to change to it SQLite refuses one at once, however patient it is.
    void use_log() {
        const auto until = std::chrono::steady_clock::now() + patience_;
        for (;;) {
            try {
                db_->script("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
                return;
            } catch (const sqlite_failure& f) {
                if ((f.code & 0xff) == SQLITE_READONLY) return;  // then it can be read at least
                if (!is_busy(f.code) || std::chrono::steady_clock::now() >= until) throw;
            }
            std::this_thread::sleep_for(milliseconds(5));
        }
    }

    void check_file() {
        if (db_ && !db_->is_on(identity_of(path_))) db_.reset();
        if (!db_ && !create_ && !identity_of(path_))
            throw sqlite_failure{SQLITE_CANTOPEN, "the file is gone"};
    }

    // Private from the start; SQLite gives -wal and -shm the same mode.
    void make_file() {
        const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0)
            ::close(fd);
        else if (errno != EEXIST)
            throw sqlite_failure{SQLITE_CANTOPEN, std::strerror(errno)};
    }

    // Several workers start at once: the first to get the lock does it, the others find it done.
    void migrate() {
        const statement ask{"PRAGMA user_version", {}, {}};
        const auto version = [&] {
            return std::get<std::int64_t>(db_->run(ask).rows.front().front());
        };
        if (version() >= schema_version) return;
        db_->script("BEGIN IMMEDIATE");
        try {
            for (int v = static_cast<int>(version()) + 1; v <= schema_version; ++v)
                db_->script(schema_step(v) + "\nPRAGMA user_version = " + std::to_string(v));
            db_->script("COMMIT");
        } catch (...) {
            roll_back();
            throw;
        }
    }

    std::vector<result> attempt(const std::vector<statement>& all) {
        std::vector<result> out;
        // IMMEDIATE: wait for the lock here, once, instead of failing half-way.
        const bool reading = all.size() == 1 && all.front().text.compare(0, 7, "SELECT ") == 0;
        if (!reading && !all.empty()) db_->script("BEGIN IMMEDIATE");
        try {
            for (const auto& s : all) {
                out.push_back(db_->run(s));
                if (!s.must_return.empty() && out.back().rows.empty())
                    throw error(code::adapter_error, s.must_return).because("taken");
            }
            if (db_->in_transaction()) db_->script("COMMIT");
        } catch (...) {
            roll_back();
            throw;
        }
        return out;
    }

    void roll_back() noexcept {
        try {
            if (db_ && db_->in_transaction()) db_->script("ROLLBACK");
        } catch (...) {  // a connection that cannot even do this starts anew
            db_.reset();
        }
    }

    std::string path_;
    bool create_;
    milliseconds patience_;
    std::optional<connection> db_;
};

// One transaction on its way through the pool. Shared by the queue, the thread and whoever waits.
struct job {
    std::vector<statement> all;
    std::chrono::steady_clock::time_point queued = std::chrono::steady_clock::now();
    std::vector<result> results;
    std::exception_ptr failure;
    bool done = false;
    std::coroutine_handle<> waiting;
};

}  // namespace

struct sqlite::impl : std::enable_shared_from_this<sqlite::impl> {
    impl(sqlite_options o, io::event_loop& l, io::offload& p, io::log& g)
        : options(std::move(o)),
          loop(l),
          pool(p),
          log(g),
          write_side(
              std::make_shared<writer>(options.path, options.create, options.write_patience)) {}

    sqlite_options options;
    io::event_loop& loop;
    io::offload& pool;
    io::log& log;
    std::shared_ptr<writer> write_side;
    std::deque<std::shared_ptr<job>> queue;
    bool running = false;  // a job is in the pool
    bool opened = false;   // the write side was asked once, so the file exists if it ever will
    bool closed = false;   // the store is gone; what runs in the pool ends alone
    std::optional<connection> reader;

    // Waits for a job without owning it: dropping the task leaves the job to its end.
    struct finished {
        std::shared_ptr<job> j;
        explicit finished(std::shared_ptr<job> of) : j(std::move(of)) {}
        finished(const finished&) = delete;
        ~finished() { j->waiting = {}; }
        bool await_ready() const noexcept { return j->done; }
        void await_suspend(std::coroutine_handle<> h) noexcept { j->waiting = h; }
        void await_resume() const noexcept {}
    };

    std::shared_ptr<job> enqueue(std::vector<statement> all) {
        if (queue.size() >= writes_queued)
            throw error(code::unavailable, "SQLite: too many writes are waiting");
        auto j = std::make_shared<job>();
        j->all = std::move(all);
        queue.push_back(j);
        start_next();
        return j;
    }

    void start_next() {
        if (running || queue.empty()) return;
        const auto j = queue.front();
        queue.pop_front();
        const auto work = [j, side = write_side] {
            try {
                const auto waited = std::chrono::steady_clock::now() - j->queued;
                j->results =
                    side->transact(j->all, std::chrono::duration_cast<milliseconds>(waited));
            } catch (...) {
                j->failure = std::current_exception();
            }
        };
        const auto done = [j, self = shared_from_this()] {
            self->running = false;
            if (!self->closed) self->start_next();
            self->end(*j);
        };
        running = pool.post(work, done);
        if (!running) {
            j->failure = std::make_exception_ptr(
                error(code::unavailable, "SQLite: the thread pool's queue is full"));
            end(*j);
            if (!closed) start_next();
        }
    }

    static void end(job& j) {
        j.done = true;
        if (const auto h = std::exchange(j.waiting, {})) h.resume();
    }

    // Reads on the loop: no waiting inside SQLite. Empty when it is busy.
    std::optional<result> try_read(const statement& s) {
        try {
            const auto now = identity_of(options.path);
            if (reader && !reader->is_on(now)) reader.reset();
            if (!now) throw sqlite_failure{SQLITE_CANTOPEN, "the file is gone"};
            if (!reader) reader.emplace(options.path, SQLITE_OPEN_READONLY, milliseconds(0));
            return reader->run(s);
        } catch (const sqlite_failure& f) {
            if (is_busy(f.code)) return std::nullopt;
            const failure_row* known = failure_of(f.code);
            if (known && known->reopen) reader.reset();
            give_up(f, options.path);
        }
    }
};

sqlite::sqlite(sqlite_options options, io::event_loop& loop, io::offload& pool, io::log& log)
    : impl_(std::make_shared<impl>(std::move(options), loop, pool, log)) {}

sqlite::~sqlite() {
    impl_->closed = true;
    impl_->queue.clear();
}

task<std::vector<sql::result>> sqlite::write(std::vector<sql::statement> all) {
    const auto self = impl_;
    const auto j = self->enqueue(std::move(all));
    impl::finished ended(j);
    co_await ended;
    if (j->failure) std::rethrow_exception(j->failure);
    self->opened = true;
    co_return std::move(j->results);
}

task<sql::result> sqlite::read(sql::statement s, bool slow) {
    const auto self = impl_;
    if (slow || !self->opened) {
        // The first read of a worker goes through the pool as well: it may have to make the file.
        std::vector<sql::statement> one;
        one.push_back(std::move(s));
        const auto results = co_await write(std::move(one));
        co_return std::move(results.front());
    }
    milliseconds waited{0}, next{2};
    for (;;) {
        auto answer = self->try_read(s);
        if (answer) co_return std::move(*answer);
        if (waited >= self->options.read_patience)
            give_up({SQLITE_BUSY, "database is locked"}, self->options.path);
        co_await io::sleep(self->loop, next);
        waited += next;
        next = std::min(next * 2, milliseconds(50));
    }
}

task<std::vector<sql::column>> sqlite::describe(std::string table) {
    // Hidden and generated columns are left out by table_info.
    sql::statement ask{
        "SELECT name, type, \"notnull\", dflt_value IS NULL, pk FROM pragma_table_info(?)",
        {std::move(table)},
        {}};
    const auto answer = co_await read(std::move(ask));
    std::vector<sql::column> out;
    for (const auto& r : answer.rows) {
        const auto flag = [&](int i) { return std::get<std::int64_t>(r[i]) != 0; };
        sql::column c;
        c.name = std::get<std::string>(r[0]);
        if (const auto* type = std::get_if<std::string>(&r[1])) c.type = *type;
        c.required = flag(2) && flag(3);
        out.push_back(std::move(c));
    }
    co_return out;
}

}  // namespace authjs::adapters
