// Instants are milliseconds since 1970 (UTC), as JavaScript has them; 64 bits, no wrap in 2038.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace authjs {

using instant = std::chrono::sys_time<std::chrono::milliseconds>;
using seconds = std::chrono::seconds;
using milliseconds = std::chrono::milliseconds;

std::int64_t unix_seconds(instant t) noexcept;  // floor
std::string iso_text(instant t);                // 2024-02-29T12:34:56.789Z
std::optional<instant> from_iso(
    std::string_view s);           // that, with any offset and fraction; else empty
std::string http_date(instant t);  // Mon, 01 Jan 2024 00:15:00 GMT

}  // namespace authjs
