#include "util/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_map>

namespace authjs::json {
namespace {

// --- reading -------------------------------------------------------------------------------------

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t c) {
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0 | c >> 6);
        out += static_cast<char>(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        out += static_cast<char>(0xe0 | c >> 12);
        out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (c & 0x3f));
    } else {
        out += static_cast<char>(0xf0 | c >> 18);
        out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
        out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (c & 0x3f));
    }
}

// Length of the character at p: 1 to 4 if well formed, 0 if not; -3 for a surrogate in three bytes
// (WTF-8), which our own strings may hold and a text from outside may not.
int char_length(const char* p, const char* end) noexcept {
    const auto at = [&](int i) { return static_cast<unsigned char>(p[i]); };
    const auto more = [&](int n) {
        if (end - p <= n) return false;
        for (int i = 1; i <= n; ++i)
            if ((at(i) & 0xc0) != 0x80) return false;
        return true;
    };
    const unsigned lead = at(0);
    if (lead < 0x80) return 1;
    if (lead < 0xc2) return 0;
    if (lead < 0xe0) return more(1) ? 2 : 0;
    if (lead < 0xf0) {
        if (!more(2) || (lead == 0xe0 && at(1) < 0xa0)) return 0;
        return lead == 0xed && at(1) > 0x9f ? -3 : 3;
    }
    if (lead > 0xf4 || !more(3)) return 0;
    if ((lead == 0xf0 && at(1) < 0x90) || (lead == 0xf4 && at(1) > 0x8f)) return 0;
    return 4;
}

std::uint32_t code_point(const char* p, int length) noexcept {
    if (length == 1) return static_cast<unsigned char>(*p);
    std::uint32_t c = static_cast<unsigned char>(*p) & (0xffu >> (length + 1));
    for (int i = 1; i < length; ++i) c = c << 6 | (static_cast<unsigned char>(p[i]) & 0x3f);
    return c;
}

class reader {
public:
    reader(std::string_view text, limits max) noexcept
        : p_(text.data()),
          end_(text.data() + text.size()),
          depth_(max.depth),
          forgiving_(max.forgiving) {}

    bool whole(value& out) {
        skip_space();
        if (!any(out)) return false;
        skip_space();
        return p_ == end_;
    }

private:
    void skip_space() noexcept {
        while (p_ < end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\t' || *p_ == '\r')) ++p_;
    }
    bool take(char c) noexcept {
        if (p_ == end_ || *p_ != c) return false;
        ++p_;
        return true;
    }
    bool word(std::string_view w) noexcept {
        if (!std::string_view(p_, static_cast<std::size_t>(end_ - p_)).starts_with(w)) return false;
        p_ += w.size();
        return true;
    }

    bool any(value& out) {
        if (p_ == end_) return false;
        switch (*p_) {
            case '{':
                return an_object(out);
            case '[':
                return an_array(out);
            case '"': {
                std::string s;
                if (!a_string(s)) return false;
                out = value(std::move(s));
                return true;
            }
            case 't':
                out = value(true);
                return word("true");
            case 'f':
                out = value(false);
                return word("false");
            case 'n':
                out = value();
                return word("null");
            default:
                return a_number(out);
        }
    }

    bool an_object(value& out) {
        if (--depth_ < 0) return false;
        object members;
        ++p_;
        skip_space();
        if (!take('}')) {
            members.reserve(8);
            do {
                skip_space();
                auto& m = members.emplace_back();
                if (p_ == end_ || *p_ != '"' || !a_string(m.name)) return false;
                skip_space();
                if (!take(':')) return false;
                skip_space();
                if (!any(m.val)) return false;
                skip_space();
            } while (take(','));
            if (!take('}')) return false;
            if (has_twins(members)) {
                if (!forgiving_) return false;
                merge_twins(members);
            }
        }
        ++depth_;
        out = value(std::move(members));
        return true;
    }

    static bool has_twins(const object& members) {
        if (members.size() <= 12) {
            for (std::size_t i = 1; i < members.size(); ++i)
                for (std::size_t k = 0; k < i; ++k)
                    if (members[i].name == members[k].name) return true;
            return false;
        }
        std::vector<std::string_view> names;
        names.reserve(members.size());
        for (const auto& m : members) names.emplace_back(m.name);
        std::sort(names.begin(), names.end());
        return std::adjacent_find(names.begin(), names.end()) != names.end();
    }

    static void merge_twins(object& members) {
        std::unordered_map<std::string, std::size_t> places;
        object kept;
        for (auto& m : members) {
            const auto [at, is_new] = places.try_emplace(m.name, kept.size());
            if (is_new)
                kept.push_back(std::move(m));
            else
                kept[at->second].val = std::move(m.val);
        }
        members = std::move(kept);
    }

    bool an_array(value& out) {
        if (--depth_ < 0) return false;
        array items;
        ++p_;
        skip_space();
        if (!take(']')) {
            do {
                skip_space();
                if (!any(items.emplace_back())) return false;
                skip_space();
            } while (take(','));
            if (!take(']')) return false;
        }
        ++depth_;
        out = value(std::move(items));
        return true;
    }

    bool a_string(std::string& out) {
        ++p_;
        for (;;) {
            const char* run = p_;
            while (p_ < end_ && *p_ != '"' && *p_ != '\\') {
                if (static_cast<unsigned char>(*p_) < 0x20) return false;
                const int n = char_length(p_, end_);
                if (n <= 0) return false;
                p_ += n;
            }
            if (p_ == end_) return false;
            out.append(run, static_cast<std::size_t>(p_ - run));
            if (*p_++ == '"') return true;
            if (!an_escape(out)) return false;
        }
    }

    bool an_escape(std::string& out) {
        static constexpr char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        if (p_ == end_) return false;
        const char c = *p_++;
        if (c != 'u') {
            const char* at = c != '\0' ? std::strchr(from, c) : nullptr;
            if (at == nullptr) return false;
            out += to[at - from];
            return true;
        }
        std::uint32_t unit = 0;
        if (!four_hex(unit)) return false;
        if ((unit & 0xfc00) == 0xd800 && end_ - p_ >= 6 && p_[0] == '\\' && p_[1] == 'u') {
            const char* back = p_;
            std::uint32_t second = 0;
            p_ += 2;
            if (!four_hex(second)) return false;
            if ((second & 0xfc00) == 0xdc00)
                unit = 0x10000 + ((unit & 0x3ff) << 10 | (second & 0x3ff));
            else
                p_ = back;
        }
        append_utf8(out, unit);
        return true;
    }

    bool four_hex(std::uint32_t& unit) noexcept {
        if (end_ - p_ < 4) return false;
        const auto r = std::from_chars(p_, p_ + 4, unit, 16);
        if (r.ec != std::errc() || r.ptr != p_ + 4) return false;
        p_ += 4;
        return true;
    }

    bool a_number(value& out) {
        const char* start = p_;
        take('-');
        const char* digits = p_;
        if (!some_digits() || (*digits == '0' && p_ - digits > 1)) return false;
        const char* digits_end = p_;
        bool integer = true;
        if (take('.')) {
            integer = false;
            if (!some_digits()) return false;
        }
        if (p_ < end_ && (*p_ == 'e' || *p_ == 'E')) {
            integer = false;
            ++p_;
            if (p_ < end_ && (*p_ == '+' || *p_ == '-')) ++p_;
            if (!some_digits()) return false;
        }
        number n;
        if (integer && digits_end - digits <= 15) {
            for (const char* d = digits; d < digits_end; ++d) n.value = n.value * 10 + (*d - '0');
            if (*start == '-') n.value = -n.value;
        } else {
            const auto r = std::from_chars(start, p_, n.value);
            if (r.ec == std::errc::result_out_of_range) {
                // Too small is zero in ECMAScript, too large is infinite.
                const bool tiny =
                    is_tiny(std::string_view(digits, static_cast<std::size_t>(p_ - digits)));
                n.value = std::copysign(tiny ? 0.0 : HUGE_VAL, *start == '-' ? -1.0 : 1.0);
            }
            if (!std::isfinite(n.value) && !forgiving_) return false;
            n.lost_digits =
                integer &&
                !holds(n.value,
                       std::string_view(digits, static_cast<std::size_t>(digits_end - digits)));
        }
        out = value(n);
        return true;
    }

    bool some_digits() noexcept {
        const char* start = p_;
        while (p_ < end_ && is_digit(*p_)) ++p_;
        return p_ > start;
    }

    // Whether an out-of-range number (grammar already checked) is below rather than above: by the
    // power of ten of its first digit that is not zero. Exponents beyond any sense are saturated.
    static bool is_tiny(std::string_view text) noexcept {
        const auto e = text.find_first_of("eE");
        const auto mantissa = text.substr(0, e);
        const auto first = mantissa.find_first_not_of("0.");
        if (first == mantissa.npos) return true;
        const auto point = std::min(mantissa.find('.'), mantissa.size());
        const auto power = static_cast<long long>(point) - static_cast<long long>(first);
        long long exponent = 0;
        if (e != text.npos) {
            const bool negative = text[e + 1] == '-';
            for (const char c : text.substr(e + 1))
                if (is_digit(c)) exponent = std::min(exponent * 10 + (c - '0'), 1'000'000'000LL);
            if (negative) exponent = -exponent;
        }
        return power + exponent < 0;
    }

    static bool holds(double v, std::string_view digits) noexcept {
        char buf[400];
        const auto r =
            std::to_chars(buf, buf + sizeof buf, std::fabs(v), std::chars_format::fixed, 0);
        return r.ec == std::errc() &&
               digits == std::string_view(buf, static_cast<std::size_t>(r.ptr - buf));
    }

    const char* p_;
    const char* end_;
    int depth_;
    bool forgiving_;
};

// --- writing -------------------------------------------------------------------------------------

// A name that ECMAScript takes for an array index (a canonical integer below 2^32 - 1).
std::optional<std::uint32_t> index_of(std::string_view name) noexcept {
    if (name.empty() || name.size() > 10 || !is_digit(name[0]) ||
        (name[0] == '0' && name.size() > 1))
        return std::nullopt;
    std::uint32_t n = 0;
    const auto r = std::from_chars(name.data(), name.data() + name.size(), n);
    if (r.ec != std::errc() || r.ptr != name.data() + name.size() || n == 0xffffffffu)
        return std::nullopt;
    return n;
}

class writer {
public:
    writer(std::string& out, bool ascii) noexcept : out_(out), ascii_(ascii) {}

    void any(const value& v) {
        if (const auto* s = v.as_string()) {
            text(*s);
        } else if (const auto* o = v.as_object()) {
            members(*o);
        } else if (const auto* a = v.as_array()) {
            out_ += '[';
            for (std::size_t i = 0; i < a->size(); ++i) {
                if (i > 0) out_ += ',';
                any((*a)[i]);
            }
            out_ += ']';
        } else if (const auto* n = v.as_number()) {
            out_ += std::isfinite(n->value) ? number_text(n->value) : "null";
        } else if (const auto* b = v.as_bool()) {
            out_ += *b ? "true" : "false";
        } else {
            out_ += "null";
        }
    }

private:
    // ECMAScript's order of own properties: array indices ascending, then the rest as inserted.
    void members(const object& o) {
        std::vector<std::pair<std::uint32_t, const member*>> indices;
        for (const auto& m : o)
            if (const auto n = index_of(m.name)) indices.emplace_back(*n, &m);
        std::sort(indices.begin(), indices.end());
        out_ += '{';
        bool first = true;
        const auto one = [&](const member& m) {
            if (!first) out_ += ',';
            first = false;
            text(m.name);
            out_ += ':';
            any(m.val);
        };
        for (const auto& [n, m] : indices) one(*m);
        for (const auto& m : o)
            if (indices.empty() || !index_of(m.name)) one(m);
        out_ += '}';
    }

    void text(std::string_view s) {
        out_ += '"';
        const char* end = s.data() + s.size();
        for (const char* p = s.data(); p < end;) {
            const int n = char_length(p, end);
            if (n == 1) {
                plain(static_cast<unsigned char>(*p));
            } else if (n == -3) {
                escape(code_point(p, 3));
            } else if (n == 0) {
                ascii_ ? escape(0xfffd) : void(out_ += "\xef\xbf\xbd");
            } else if (ascii_) {
                const auto c = code_point(p, n);
                if (c < 0x10000) {
                    escape(c);
                } else {
                    escape(0xd800 + ((c - 0x10000) >> 10));
                    escape(0xdc00 + ((c - 0x10000) & 0x3ff));
                }
            } else {
                out_.append(p, static_cast<std::size_t>(n));
            }
            p += n > 0 ? n : n < 0 ? -n : 1;
        }
        out_ += '"';
    }

    void plain(unsigned char c) {
        static constexpr char special[] = "\b\f\n\r\t\"\\", letter[] = "bfnrt\"\\";
        const char* at = c != 0 ? std::strchr(special, c) : nullptr;
        if (at != nullptr) {
            out_ += '\\';
            out_ += letter[at - special];
        } else if (c < 0x20 || (ascii_ && c == 0x7f)) {
            escape(c);
        } else {
            out_ += static_cast<char>(c);
        }
    }

    void escape(std::uint32_t unit) {
        out_ += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) out_ += "0123456789abcdef"[unit >> shift & 15];
    }

    std::string& out_;
    bool ascii_;
};

number of_integer(std::int64_t n) noexcept {
    const auto d = static_cast<double>(n);
    // 2^63 itself is out of the integer's range, so it cannot be compared by casting back.
    const bool exact = d < 9223372036854775808.0 && static_cast<std::int64_t>(d) == n;
    return {d, !exact};
}

}  // namespace

value::value() noexcept : v_(nullptr) {}
value::value(std::nullptr_t) noexcept : v_(nullptr) {}
value::value(bool b) noexcept : v_(b) {}
value::value(double n) noexcept : v_(number{n, false}) {}
value::value(std::int64_t n) noexcept : v_(of_integer(n)) {}
value::value(int n) noexcept : v_(number{static_cast<double>(n), false}) {}
value::value(number n) noexcept : v_(n) {}
value::value(std::string s) noexcept : v_(std::move(s)) {}
value::value(std::string_view s) : v_(std::string(s)) {}
value::value(const char* s) : v_(std::string(s)) {}
value::value(array a) noexcept : v_(std::move(a)) {}
value::value(object o) noexcept : v_(std::move(o)) {}
value::value(const value&) = default;
value::value(value&&) noexcept = default;
value& value::operator=(const value&) = default;
value& value::operator=(value&&) noexcept = default;
value::~value() = default;

bool value::is_null() const noexcept { return std::holds_alternative<std::nullptr_t>(v_); }
bool value::is_bool() const noexcept { return std::holds_alternative<bool>(v_); }
bool value::is_number() const noexcept { return std::holds_alternative<number>(v_); }
bool value::is_string() const noexcept { return std::holds_alternative<std::string>(v_); }
bool value::is_array() const noexcept { return std::holds_alternative<array>(v_); }
bool value::is_object() const noexcept { return std::holds_alternative<object>(v_); }

const bool* value::as_bool() const noexcept { return std::get_if<bool>(&v_); }
const number* value::as_number() const noexcept { return std::get_if<number>(&v_); }
const std::string* value::as_string() const noexcept { return std::get_if<std::string>(&v_); }
const array* value::as_array() const noexcept { return std::get_if<array>(&v_); }
const object* value::as_object() const noexcept { return std::get_if<object>(&v_); }
array* value::as_array() noexcept { return std::get_if<array>(&v_); }
object* value::as_object() noexcept { return std::get_if<object>(&v_); }

const value* value::find(std::string_view name) const noexcept {
    if (const auto* o = as_object())
        for (const auto& m : *o)
            if (m.name == name) return &m.val;
    return nullptr;
}
value* value::find(std::string_view name) noexcept {
    return const_cast<value*>(static_cast<const value*>(this)->find(name));
}
std::string_view value::text(std::string_view name) const noexcept {
    const auto* v = find(name);
    const auto* s = v != nullptr ? v->as_string() : nullptr;
    return s != nullptr ? std::string_view(*s) : std::string_view();
}
value& value::set(std::string_view name, value v) {
    if (auto* had = find(name)) return *had = std::move(v);
    if (!is_object()) v_ = object{};
    return std::get<object>(v_).emplace_back(member{std::string(name), std::move(v)}).val;
}
void value::erase(std::string_view name) noexcept {
    if (auto* o = as_object())
        std::erase_if(*o, [name](const member& m) { return m.name == name; });
}

bool value::truthy() const noexcept {
    if (const auto* b = as_bool()) return *b;
    if (const auto* n = as_number()) return n->value != 0 && !std::isnan(n->value);
    if (const auto* s = as_string()) return !s->empty();
    return !is_null();
}

bool value::operator==(const value& other) const noexcept {
    if (v_.index() != other.v_.index()) return false;
    if (const auto* o = as_object()) {
        const auto& theirs = *other.as_object();
        return o->size() == theirs.size() && std::all_of(o->begin(), o->end(), [&](const auto& m) {
                   const auto* v = other.find(m.name);
                   return v != nullptr && *v == m.val;
               });
    }
    if (const auto* a = as_array()) return *a == *other.as_array();
    if (const auto* n = as_number()) return n->value == other.as_number()->value;
    if (const auto* s = as_string()) return *s == *other.as_string();
    if (const auto* b = as_bool()) return *b == *other.as_bool();
    return true;
}

value make_object(std::initializer_list<member> members) { return value(object(members)); }

std::optional<value> parse(std::string_view text, limits max) {
    value out;
    if (text.size() > max.bytes || !reader(text, max).whole(out)) return std::nullopt;
    return out;
}

std::string stringify(const value& v) {
    std::string out;
    writer(out, false).any(v);
    return out;
}
std::string stringify_ascii(const value& v) {
    std::string out;
    writer(out, true).any(v);
    return out;
}

std::string number_text(double n) {
    if (std::isnan(n)) return "NaN";
    if (std::isinf(n)) return n < 0 ? "-Infinity" : "Infinity";
    if (n == 0) return "0";

    // The shortest digits that read back as n, and the place of the point (ECMAScript
    // Number::toString: k digits, value = 0.digits * 10^point).
    char buf[40];
    const auto r =
        std::to_chars(buf, buf + sizeof buf, std::fabs(n), std::chars_format::scientific);
    const std::string_view all(buf, static_cast<std::size_t>(r.ptr - buf));
    const auto e = all.find('e');
    int exponent = 0;
    std::from_chars(all.data() + e + (all[e + 1] == '+' ? 2 : 1), r.ptr, exponent);
    std::string digits(1, all[0]);
    if (e > 2) digits += all.substr(2, e - 2);
    const int k = static_cast<int>(digits.size()), point = exponent + 1;

    std::string out = n < 0 ? "-" : "";
    const auto zeros = [](int count) { return std::string(static_cast<std::size_t>(count), '0'); };
    if (k <= point && point <= 21) return out + digits + zeros(point - k);
    if (0 < point && point <= 21) {
        digits.insert(static_cast<std::size_t>(point), 1, '.');
        return out + digits;
    }
    if (-6 < point && point <= 0) return out + "0." + zeros(-point) + digits;
    if (k > 1) digits.insert(1, 1, '.');
    return out + digits + (point > 0 ? "e+" : "e-") + std::to_string(std::abs(point - 1));
}

std::string text_of(const value& v) {
    if (const auto* s = v.as_string()) return *s;
    if (const auto* n = v.as_number()) return number_text(n->value);
    return stringify(v);
}

}  // namespace authjs::json
