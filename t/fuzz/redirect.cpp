// Redirect targets: whatever is asked for, the browser stays on this site or goes to an allowed
// one.
#include "auth/redirect.hpp"

#include "auth/routes.hpp"
#include "fuzz.hpp"
#include "util/url.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::string origin = "https://app.example.com";
    static const std::vector<std::string> allowed = {"https://*.example.org", "https://b.example"};
    const std::string target(fuzz::text_of(data, size));
    const auto stays = [](const std::string& where) {
        const auto base = parse_url(origin + "/auth/signin");
        const auto line = auth::location_text(where);
        fuzz::demand(!fuzz::has_controls(line), "one header line");
        const auto u = parse_url(line, &*base);
        fuzz::demand(u && (u->origin() == origin || auth::origin_allowed(u->origin(), allowed)),
                     "the browser stays or goes where it may");
    };
    if (const auto to = auth::default_redirect(target, origin, allowed)) {
        stays(*to);
        stays(auth::without_loop(*to, origin, "/auth", allowed));
    }
    auth::under_base(target, origin, "/auth");
    auth::is_http_url(target, origin);
    auth::parse_route(target, "/auth");
    return 0;
}
