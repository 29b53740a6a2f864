// The fields that tell a page from a script: lines of Accept, X-Requested-With, Sec-Purpose,
// Sec-Fetch-Mode.
#include "auth/navigation.hpp"

#include "fuzz.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = fuzz::text_of(data, size);
    auth::navigation_fields f;
    f.accept = fuzz::next_line(rest);
    f.requested_with = fuzz::next_line(rest);
    f.sec_purpose = fuzz::next_line(rest);
    if (!rest.empty()) f.sec_fetch_mode = fuzz::next_line(rest);
    const bool goes = auth::is_navigation(f);
    fuzz::demand(!goes || auth::accepts_html(f.accept), "a page is HTML");
    f.hx_request = true;
    fuzz::demand(!auth::is_navigation(f), "a script's request is none");
    return 0;
}
