#include "util/time.hpp"

#include <cstdio>

namespace authjs {
namespace {

namespace ch = std::chrono;

struct parts {
    int year, month, day, weekday, hour, minute, second, milli;
};

parts take_apart(instant t) {
    const auto day = ch::floor<ch::days>(t);
    const ch::year_month_day date{day};
    const ch::hh_mm_ss<milliseconds> time{t - day};
    return {static_cast<int>(date.year()),
            static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day())),
            static_cast<int>(ch::weekday{day}.c_encoding()),
            static_cast<int>(time.hours().count()),
            static_cast<int>(time.minutes().count()),
            static_cast<int>(time.seconds().count()),
            static_cast<int>(time.subseconds().count())};
}

// A cursor over the text; digits() reads exactly n of them, or makes the whole reading fail.
struct reader {
    std::string_view rest;
    bool ok = true;

    bool skip(std::string_view any_of) {
        if (rest.empty() || any_of.find(rest.front()) == any_of.npos) return false;
        rest.remove_prefix(1);
        return true;
    }
    void demand(std::string_view any_of) { ok = skip(any_of) && ok; }
    int digits(int n) {
        int value = 0;
        for (; n > 0; --n) {
            if (rest.empty() || rest.front() < '0' || rest.front() > '9') {
                ok = false;
                return 0;
            }
            value = value * 10 + (rest.front() - '0');
            rest.remove_prefix(1);
        }
        return value;
    }
};

}  // namespace

std::int64_t unix_seconds(instant t) noexcept {
    return ch::floor<seconds>(t).time_since_epoch().count();
}

std::string iso_text(instant t) {
    const auto p = take_apart(t);
    char buf[96];
    // Years beyond four digits as ECMAScript's Date.prototype.toISOString writes them.
    const char* form = p.year >= 0 && p.year <= 9999 ? "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"
                                                     : "%+07d-%02d-%02dT%02d:%02d:%02d.%03dZ";
    const int n = std::snprintf(buf, sizeof buf, form, p.year, p.month, p.day, p.hour, p.minute,
                                p.second, p.milli);
    return std::string(buf, static_cast<std::size_t>(n));
}

std::optional<instant> from_iso(std::string_view s) {
    reader in{s};
    const int year = in.digits(4);
    in.demand("-");
    const int month = in.digits(2);
    in.demand("-");
    const int day = in.digits(2);
    in.demand("Tt ");
    const int hour = in.digits(2);
    in.demand(":");
    const int minute = in.digits(2);
    in.demand(":");
    const int second = in.digits(2);

    int milli = 0;
    if (in.skip(".,")) {
        milli = in.digits(1) * 100;
        for (int unit = 10; !in.rest.empty() && in.rest.front() >= '0' && in.rest.front() <= '9';
             unit /= 10)
            milli += in.digits(1) * unit;
    }
    int offset = 0;  // minutes east of Greenwich
    if (!in.skip("Zz")) {
        const bool west = !in.rest.empty() && in.rest.front() == '-';
        in.demand("+-");
        offset = in.digits(2) * 60;
        const bool colon = in.skip(":");
        if (colon || !in.rest.empty()) offset += in.digits(2);
        if (west) offset = -offset;
    }

    const ch::year_month_day date{ch::year{year}, ch::month(static_cast<unsigned>(month)),
                                  ch::day(static_cast<unsigned>(day))};
    if (!in.ok || !in.rest.empty() || !date.ok() || hour > 23 || minute > 59 || second > 59 ||
        offset > 24 * 60 || offset < -24 * 60)
        return std::nullopt;
    return instant{ch::sys_days{date}} + ch::hours{hour} + ch::minutes{minute - offset} +
           seconds{second} + milliseconds{milli};
}

std::string http_date(instant t) {
    static constexpr char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto p = take_apart(t);
    char buf[96];
    const int n =
        std::snprintf(buf, sizeof buf, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[p.weekday],
                      p.day, months[p.month - 1], p.year, p.hour, p.minute, p.second);
    return std::string(buf, static_cast<std::size_t>(n));
}

}  // namespace authjs
