// Cookie lines: the jar and the gate read them in two ways, and must come to the same session.
#include "auth/gate.hpp"
#include "fuzz.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::setup();
    static const auto cf = [] {
        auth::config made;
        made.secrets.emplace_back(std::string("0123456789abcdef0123456789abcdef"));
        for (std::size_t i = 0; i < made.plain.kinds.size(); ++i)
            made.plain.kinds[i] = auth::default_cookie(static_cast<auth::which>(i), false);
        made.secured = made.plain;
        auth::finish(made);
        return made;
    }();
    auto rest = fuzz::text_of(data, size);
    std::vector<std::string_view> lines;
    while (!rest.empty()) lines.push_back(fuzz::next_line(rest));

    auth::token_cache cache(16, 1u << 16);
    const auto first = auth::ask(cf, false, lines, fuzz::now, cache);
    const auto again = auth::ask(cf, false, lines, fuzz::now, cache);
    fuzz::demand(first.status == again.status && first.clean == again.clean,
                 "the cache changes no verdict");
    fuzz::demand((first.status == auth::status::ok) == (first.session != nullptr),
                 "a session stands beside ok alone");

    const auto jar = auth::cookie_jar::parse(lines);
    const auto& kind = cf.plain[auth::which::session_token];
    const auto chunks = auth::read_chunks(jar, kind.name);
    const auto opened = jose::decode(kind.ring, chunks.value, fuzz::now);
    const bool good = opened.why == jose::refusal::none;
    if (first.status == auth::status::ok) fuzz::demand(good, "the gate passes what the jar opens");
    if (good && !chunks.conflicting && chunks.names.size() <= 64)
        fuzz::demand(first.status == auth::status::ok, "the jar opens what the gate passes");
    for (const auto& c : auth::write_chunks(chunks, kind, chunks.value, fuzz::now))
        fuzz::accepted(
            [&] { fuzz::demand(!fuzz::has_controls(auth::serialize(c)), "one header line"); });
    return 0;
}
