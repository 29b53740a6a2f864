// URLs: first line a base, the rest the text. A serialised URL reads as itself.
#include "util/url.hpp"

#include "fuzz.hpp"
#include "oauth/oauth.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = fuzz::text_of(data, size);
    const auto base = parse_url(fuzz::next_line(rest));
    const auto u = parse_url(rest, base ? &*base : nullptr);
    for (const auto* one : {base ? &*base : nullptr, u ? &*u : nullptr}) {
        if (one == nullptr) continue;
        const auto again = parse_url(one->href());
        fuzz::demand(again && again->href() == one->href(), "a URL reads as it was written");
        fuzz::demand(again->origin() == one->origin(), "of the same origin");
        fuzz::demand(!fuzz::has_controls(one->href()), "no controls");
        if (one->is_http()) fuzz::demand(!one->host.empty(), "http has a host");
        oauth::is_private_host(one->host);
        fuzz::accepted([&] { oauth::well_known_url(one->href()); });
    }
    return 0;
}
