// SQLite as a sql::database: one connection for reads, used on the loop with no busy time-out, and
// one for writes, used by one job at a time in the thread pool. Opened when first used, so after
// the worker was forked.
#pragma once

#include <memory>
#include <string>

#include "adapters/sql.hpp"
#include "io/ports.hpp"

namespace authjs::adapters {

struct sqlite_options {
    std::string path;
    // create: make the file (mode 0600) and the tables of sql/sqlite.sql where there are none. Only
    // when the store is opened first: a file that vanishes later is an error, never a new and empty
    // store.
    bool create = false;
    milliseconds read_patience{500};     // how long a read waits for a lock, on timers
    milliseconds write_patience{3'000};  // how long a write does, in its thread
};

class sqlite final : public sql::database {
public:
    sqlite(sqlite_options options, io::event_loop& loop, io::offload& pool, io::log& log);
    ~sqlite() override;  // what was handed to the pool still runs to its end there
    task<sql::result> read(sql::statement s, bool slow = false) override;
    task<std::vector<sql::result>> write(std::vector<sql::statement> all) override;
    task<std::vector<sql::column>> describe(std::string table) override;

private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace authjs::adapters
