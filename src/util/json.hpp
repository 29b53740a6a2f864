// JSON as Auth.js writes it: what JSON.stringify of ECMAScript gives, byte for byte, because it
// ends up inside tokens that Node opens, and a strict reader (RFC 8259 with its "may" turned into
// "no"). Not cJSON: cJSON cuts strings at \u0000, refuses lone surrogates that JavaScript keeps,
// prints numbers in another form and does not notice a name that comes twice.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace authjs::json {

class value;
struct member;
using array = std::vector<value>;
using object = std::vector<member>;  // in order of insertion; names are unique

struct number {
    double value = 0;
    bool lost_digits = false;  // an integer in the text that a double does not hold exactly
};

// Strings are UTF-8 that may hold NUL; a lone surrogate escape is kept as its three-byte WTF-8
// form.
class value {
public:
    value() noexcept;  // null
    value(std::nullptr_t) noexcept;
    value(bool b) noexcept;
    value(double n) noexcept;
    value(std::int64_t n) noexcept;
    value(int n) noexcept;
    value(number n) noexcept;
    value(std::string s) noexcept;
    value(std::string_view s);
    value(const char* s);
    value(array a) noexcept;
    value(object o) noexcept;
    value(const value&);
    value(value&&) noexcept;
    value& operator=(const value&);
    value& operator=(value&&) noexcept;
    ~value();

    bool is_null() const noexcept;
    bool is_bool() const noexcept;
    bool is_number() const noexcept;
    bool is_string() const noexcept;
    bool is_array() const noexcept;
    bool is_object() const noexcept;

    // Each answers a pointer into this value, or null if it is of another kind.
    const bool* as_bool() const noexcept;
    const number* as_number() const noexcept;
    const std::string* as_string() const noexcept;
    const array* as_array() const noexcept;
    const object* as_object() const noexcept;
    array* as_array() noexcept;
    object* as_object() noexcept;

    // find: the member, or null if this is no object or has none of that name.
    const value* find(std::string_view name) const noexcept;
    value* find(std::string_view name) noexcept;
    // text: the member's string, or an empty view if it is absent or no string.
    std::string_view text(std::string_view name) const noexcept;
    // set as JavaScript assigns: an existing member keeps its place; null becomes an object.
    value& set(std::string_view name, value v);
    void erase(std::string_view name) noexcept;

    // JavaScript's truthiness: null, false, 0, NaN and "" are not.
    bool truthy() const noexcept;
    bool operator==(const value& other) const noexcept;

private:
    std::variant<std::nullptr_t, bool, number, std::string, array, object> v_;
};

struct member {
    std::string name;
    value val;
};

value make_object(std::initializer_list<member> members);

struct limits {
    std::size_t bytes = 64 * 1024;
    int depth = 16;  // nesting of arrays and objects
    // As JSON.parse reads: of a name that comes twice the last value counts, in the place of the
    // first, and a number that overflows is infinite.
    bool forgiving = false;
};

// parse reads one strict JSON text. Empty if it is not: wrong grammar, a name twice in one object,
// invalid UTF-8, a byte-order mark, more than `limits`, a number that overflows to infinity, or
// anything after the value but white space; twins and overflow pass where `limits` forgives. Time
// and memory are linear in the size of the text.
std::optional<value> parse(std::string_view text, limits max = {});

// stringify is JSON.stringify without spaces: /, non-ASCII unescaped; \b \f \n \r \t \" \\, other
// controls \u00xx, lone surrogates \udxxx; numbers as ECMAScript prints them (NaN: null).
std::string stringify(const value& v);
// The same in pure ASCII: everything above 0x7e as \uxxxx (surrogate pairs above the BMP).
std::string stringify_ascii(const value& v);
// number_text is Number.prototype.toString (radix 10).
std::string number_text(double n);
// text_of is JavaScript's String(v) of a scalar: text as it is, numbers as above, "true", "null";
// arrays and objects as stringify.
std::string text_of(const value& v);

}  // namespace authjs::json
