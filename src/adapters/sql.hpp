// What sql_store asks of a database: statements with bound values, in one transaction or by
// themselves, and the catalog. A driver implements it; no driver knows what a user is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "util/task.hpp"

namespace authjs::adapters::sql {

using value = std::variant<std::nullptr_t, std::int64_t, double, std::string>;
using row = std::vector<value>;

struct statement {
    std::string text;  // with the dialect's place holders; values are always bound
    std::vector<value> values;
    // The statement must return a row, or the whole transaction is rolled back and
    // error(adapter_error) is thrown, whose reason() is "taken" and whose message is this. Empty:
    // no rows are fine.
    std::string must_return;
};

struct result {
    std::vector<row> rows;
    std::int64_t changed = 0;  // rows that an INSERT, UPDATE or DELETE touched
};

struct column {
    std::string name, type;  // type as declared
    bool required = false;   // NOT NULL without a default, so every INSERT has to name it
};

class database {
public:
    virtual ~database() = default;
    // All three throw error(unavailable) when the database cannot be asked (locked for too long,
    // disk full, read-only, corrupt, gone) and error(adapter_error) when it refuses (a constraint,
    // an unknown column). They end within seconds, whatever the database does.

    // read runs one SELECT outside of any transaction. `slow`: it may take long (a scan), so it
    // must not run on the loop.
    virtual task<result> read(statement s, bool slow = false) = 0;
    // write runs all of them in one transaction, in order: all or nothing. Once it was awaited it
    // runs to its end even if the task is dropped.
    virtual task<std::vector<result>> write(std::vector<statement> all) = 0;
    // columns of a table in their order; empty: there is no such table.
    virtual task<std::vector<column>> describe(std::string table) = 0;
};

}  // namespace authjs::adapters::sql
