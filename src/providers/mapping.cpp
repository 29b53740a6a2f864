#include "providers/mapping.hpp"

extern "C" {  // jq 1.6 does not say so itself
#include <jq.h>
}

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "util/error.hpp"
#include "util/owned.hpp"

namespace authjs::providers {
namespace {

// What stands before every program, for filters that have to mean what JavaScript means: a member
// that leads to nothing is left out (a member of a text or a number is nothing, too). some(f) is
// its f || null, either(f; g) its f ?? g, text its String(), spaced its `${a} ${b}` without what is
// missing, words its filter(Boolean).join(" "). An id is made of texts and numbers only, and of no
// number beyond 2^53: two people could become one.
constexpr std::string_view prelude = R"jq(
def is_there($at): $at == [] or (try (getpath($at[:-1]) | has($at[-1])) catch false);
def leads_to(f): try [path(f)] catch null;
def field($name; f): leads_to(f) as $at
  | if $at == null or ($at != [] and is_there($at[0])) then
      try {($name): f} catch if type == "string" and startswith("Cannot index ") then {} else error end
    else {} end;
def some(f): [f] | .[0] | if . == "" or . == 0 or . == false then null else . end;
def either(f; g): if ([f?] | .[0]) != null then f else g end;
def must(f): f | if . == null then error("a member that must be there is missing") else . end;
def text: if type == "string" then .
  elif type == "array" then map(if . == null then "" else text end) | join(",")
  elif type == "object" then "[object Object]"
  elif . == 0 then "0"
  else tostring end;
def id_text: if type == "string" then .
  elif type != "number" then error("the id is no text and no number")
  elif fabs >= 9007199254740992 then error("the id is a number with more digits than a double holds")
  else text end;
def spaced: map(select(. != null) | text) | join(" ");
def words: map(some(.)) | spaced;
def digits_mod($m): reduce (explode[] - 48) as $digit (0; (. * 10 + $digit) % $m);
)jq";

constexpr std::string_view heads[] = {
    "",
    ".token as $token | .options as $options | .photo as $photo | .callback as $callback"
    " | .profile | ",
};

// Names of jq that reach outside the filter's input, or stop the process.
constexpr std::string_view refused[] = {
    "$ENV",  "$__loc__",        "$__prog_args",      "debug",   "env",        "get_jq_origin",
    "halt",  "get_prog_origin", "get_search_list",   "include", "halt_error", "import",
    "input", "input_filename",  "input_line_number", "inputs",  "modulemeta", "stderr",
};

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool in_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// A look at a filter's words, as jq's own scanner splits them: brackets must pair up, so that a
// filter cannot reach out of the parentheses it is put into, and refused names must not be called.
class scanner {
public:
    explicit scanner(std::string_view text) : text_(text) {}

    // what is wrong, or empty
    std::string look() {
        const std::string wrong = code('\0');
        return wrong.empty() && at_ < text_.size() ? unbalanced() : wrong;
    }

private:
    static std::string unbalanced() { return "brackets do not pair up"; }
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    void blanks() {
        while (at_ < text_.size()) {
            if (peek() == '#') {
                while (at_ < text_.size() && peek() != '\n') at_++;
            } else if (std::isspace(static_cast<unsigned char>(peek()))) {
                at_++;
            } else {
                return;
            }
        }
    }
    // code reads until `close` (not eaten) or the end.
    std::string code(char close) {
        char before = close == '}' ? '{' : '\0';
        for (blanks(); at_ < text_.size(); blanks()) {
            const char c = peek();
            if (c == close) return {};
            if (c == ')' || c == ']' || c == '}') return unbalanced();
            if (c == '(' || c == '[' || c == '{') {
                at_++;
                const char end = c == '(' ? ')' : c == '[' ? ']' : '}';
                if (auto wrong = code(end); !wrong.empty()) return wrong;
                if (peek() != end) return unbalanced();
                at_++;
            } else if (c == '"') {
                if (auto wrong = string(); !wrong.empty()) return wrong;
            } else if (c == '.' && starts_name(peek(1))) {
                for (at_++; in_name(peek());) at_++;
            } else if (c == '$' || c == '@' || starts_name(c)) {
                const auto begin = at_++;
                while (in_name(peek()) || (peek() == ':' && peek(1) == ':' && ++at_)) at_++;
                const auto word = text_.substr(begin, at_ - begin);
                blanks();
                // `{input: 1}` and `{input}` name a member, `def input: 1;` a function of its own.
                const bool key =
                    peek() == ':' || (close == '}' && (before == '{' || before == ',') &&
                                      (peek() == ',' || peek() == '}'));
                if ((c == '$' || !key) && std::ranges::find(refused, word) != std::end(refused))
                    return std::string(word) + " is not allowed here";
            } else {
                at_++;
            }
            before = c;
        }
        return {};
    }
    std::string string() {
        for (at_++; at_ < text_.size();) {
            const char c = text_[at_++];
            if (c == '"') return {};
            if (c != '\\') continue;
            if (text_.substr(at_, 1) != "(") {
                at_++;
                continue;
            }
            at_++;
            if (auto wrong = code(')'); !wrong.empty()) return wrong;
            if (peek() != ')') return unbalanced();
            at_++;
        }
        return "a string does not end";
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// A lone surrogate, kept by our reader in its three-byte form, is no UTF-8: jq gets U+FFFD.
std::string for_jq(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '\xed' && i + 1 < text.size() && (text[i + 1] & 0xe0) == 0xa0) {
            out += "\xef\xbf\xbd";
            i += 3;
        } else {
            out += text[i++];
        }
    }
    return out;
}

jv to_jv(const std::string& text) {
    const std::string clean = for_jq(text);
    return jv_string_sized(clean.data(), static_cast<int>(clean.size()));
}

jv to_jv(const json::value& v) {
    if (const auto* b = v.as_bool()) return jv_bool(*b);
    if (const auto* n = v.as_number()) return jv_number(n->value);
    if (const auto* s = v.as_string()) return to_jv(*s);
    if (const auto* a = v.as_array()) {
        jv out = jv_array_sized(static_cast<int>(a->size()));
        for (const auto& item : *a) out = jv_array_append(out, to_jv(item));
        return out;
    }
    if (const auto* o = v.as_object()) {
        jv out = jv_object();
        for (const auto& m : *o) out = jv_object_set(out, to_jv(m.name), to_jv(m.val));
        return out;
    }
    return jv_null();
}

std::string text_of(jv v) {  // takes v, a string
    std::string out(jv_string_value(v),
                    static_cast<std::size_t>(jv_string_length_bytes(jv_copy(v))));
    jv_free(v);
    return out;
}

json::value from_jv(jv v) {  // takes v
    switch (jv_get_kind(v)) {
        case JV_KIND_TRUE:
        case JV_KIND_FALSE: {
            const bool yes = jv_get_kind(v) == JV_KIND_TRUE;
            jv_free(v);
            return yes;
        }
        case JV_KIND_NUMBER: {
            const double n = jv_number_value(v);
            jv_free(v);
            if (!std::isfinite(n)) return {};
            // What lay at 2^53 or above may have been rounded when it was read.
            return json::number{n, std::abs(n) >= 9007199254740992.0};
        }
        case JV_KIND_STRING:
            return text_of(v);
        case JV_KIND_ARRAY: {
            json::array out;
            const int size = jv_array_length(jv_copy(v));
            for (int i = 0; i < size; i++) out.push_back(from_jv(jv_array_get(jv_copy(v), i)));
            jv_free(v);
            return out;
        }
        case JV_KIND_OBJECT: {
            json::object out;
            for (int i = jv_object_iter(v); jv_object_iter_valid(v, i);
                 i = jv_object_iter_next(v, i)) {
                std::string name = text_of(jv_object_iter_key(v, i));
                out.push_back({std::move(name), from_jv(jv_object_iter_value(v, i))});
            }
            jv_free(v);
            return out;
        }
        default:
            jv_free(v);
            return {};
    }
}

// jq's message: text as it is, anything else as JSON. Takes msg.
std::string message_of(jv msg) {
    return text_of(jv_get_kind(msg) == JV_KIND_STRING ? msg : jv_dump_string(msg, 0));
}

void teardown(jq_state* s) { jq_teardown(&s); }
using state = owned<jq_state, teardown>;

extern "C" void note_error(void* to, jv msg) {
    auto* said = static_cast<std::string*>(to);  // null at run time: what failed is in the result
    if (said != nullptr && said->empty())
        *said = message_of(msg);
    else
        jv_free(msg);
}

struct filter {
    std::string text, where;
    mapping::sees what;

    std::string body() const {
        return std::string(heads[static_cast<int>(what)]) + "(" + text + "\n)";
    }
};

// A compiled program, or jq's words about why there is none.
struct compiled {
    state program;
    std::string wrong;
};
compiled compile_text(const std::string& program) {
    compiled out;
    out.program.reset(jq_init());
    if (!out.program) throw std::bad_alloc();
    jq_set_error_cb(out.program.get(), note_error, &out.wrong);
    if (jq_compile(out.program.get(), program.c_str()))
        out.wrong.clear();
    else if (out.wrong.empty())
        out.wrong = "jq does not take it";
    jq_set_error_cb(out.program.get(), note_error, nullptr);
    return out;
}

// choose writes the branch to filters [from, to) of the program, by halving.
std::string choose(std::size_t from, std::size_t to) {
    if (to - from == 1) return "f" + std::to_string(from);
    const std::size_t middle = (from + to) / 2;
    return "(if $n < " + std::to_string(middle) + " then " + choose(from, middle) + " else " +
           choose(middle, to) + " end)";
}

// The culprit's words without what jq adds about the program around it.
std::string first_line(std::string text) {
    if (text.starts_with("jq: error: ")) text.erase(0, 11);
    for (const char* tail : {"\n", " (Unix shell quoting issues?)", " at <top-level>"})
        if (const auto cut = text.find(tail); cut != std::string::npos) text.resize(cut);
    return text;
}

}  // namespace

struct mapping::impl {
    std::vector<filter> filters;
    state program;
};

mapping::mapping() : impl_(std::make_unique<impl>()) {}
mapping::~mapping() = default;

int mapping::add(std::string text, sees what, std::string where) {
    impl_->filters.push_back({std::move(text), std::move(where), what});
    return static_cast<int>(impl_->filters.size()) - 1;
}

std::optional<mistake> mapping::compile() {
    auto& filters = impl_->filters;
    if (filters.empty()) return std::nullopt;
    std::string program(prelude);
    for (std::size_t i = 0; i < filters.size(); i++) {
        if (auto wrong = scanner(filters[i].text).look(); !wrong.empty())
            return mistake{filters[i].where, "jq filter: " + wrong};
        program += "def f" + std::to_string(i) + ": " + filters[i].body() + ";\n";
    }
    program += ".n as $n | .input | " + choose(0, filters.size());
    auto all = compile_text(program);
    if (all.wrong.empty()) {
        impl_->program = std::move(all.program);
        return std::nullopt;
    }
    for (const auto& f : filters) {
        const auto one = compile_text(std::string(prelude) + f.body());
        if (!one.wrong.empty()) return mistake{f.where, "jq filter: " + first_line(one.wrong)};
    }
    return mistake{filters.front().where, "jq filters: " + first_line(all.wrong)};
}

std::optional<json::value> mapping::run(int n, const json::value& input) const {
    jq_state* program = impl_->program.get();
    if (program == nullptr || n < 0 || static_cast<std::size_t>(n) >= impl_->filters.size())
        throw error(code::configuration, "no such filter");
    jv document = jv_object();
    document = jv_object_set(document, jv_string("n"), jv_number(n));
    document = jv_object_set(document, jv_string("input"), to_jv(input));
    jq_start(program, document, 0);
    jv result = jq_next(program);
    if (jv_is_valid(result)) {
        auto out = from_jv(result);
        jq_start(program, jv_null(), 0);  // lets go of the document now, not at the next run
        return out;
    }
    if (!jv_invalid_has_msg(jv_copy(result))) {
        jv_free(result);
        return std::nullopt;
    }
    throw error(code::oauth_profile_parse_error, message_of(jv_invalid_get_msg(result)));
}

}  // namespace authjs::providers
