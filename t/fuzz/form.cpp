// Forms and queries: reading what was written gives the same, and names stand where they stood.
#include "fuzz.hpp"
#include "util/bytes.hpp"
#include "util/url.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto form = fuzz::text_of(data, size);
    const auto read = params::parse(form);
    const auto written = read.to_string();
    fuzz::demand(params::parse(written).list() == read.list(), "a form survives being written");
    const auto object = read.as_object();
    for (const auto& [name, value] : object.list()) {
        fuzz::demand(object.count(name) == 1, "an object's names are unique");
        fuzz::demand(*read.last(name) == value, "the last value wins");
        fuzz::demand(is_utf8(name) && is_utf8(value), "text is UTF-8");
    }
    if (const auto text = decode_uri_component(form))
        fuzz::demand(decode_uri_component(encode_uri_component(*text)) == text, "components too");
    return 0;
}
