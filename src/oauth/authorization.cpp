#include "oauth/issuer.hpp"
#include "oauth/oauth.hpp"
#include "oauth/refuse.hpp"
#include "util/bytes.hpp"

namespace authjs::oauth {
namespace {

// RFC 6749 section 3.1: a parameter must not come more than once. Those that decide anything.
constexpr std::string_view once[] = {"state",    "code",     "iss",  "error",
                                     "response", "id_token", "token"};

std::string_view text(const params& given, std::string_view name) {
    const auto* value = given.first(name);
    return value ? std::string_view(*value) : std::string_view();
}

}  // namespace

grant authorization_response(const server& as, const params& given,
                             std::optional<std::string_view> expected_state,
                             std::string redirect_uri) {
    for (const auto name : once)
        if (given.count(name) > 1)
            refuse("callback parameter \"" + std::string(name) + "\" came more than once");
    demand(text(given, "response").empty(), "a JARM response was not asked for");

    // RFC 9207 section 2.4. A server whose issuer nobody knows cannot be mixed up by it.
    const auto iss = text(given, "iss");
    demand(!iss.empty() || !as.iss_parameter, "callback parameter \"iss\" is missing");
    demand(iss.empty() || as.issuer.empty() || is_issuer(as, iss),
           "callback parameter \"iss\" names another issuer");

    if (expected_state) {  // RFC 6749 section 10.12
        const auto state = text(given, "state");
        demand(!state.empty() && same_secret(state, *expected_state),
               "callback parameter \"state\" does not match");
    }
    if (const auto failure = text(given, "error"); !failure.empty())  // RFC 6749 section 4.1.2.1
        throw error(code::oauth_callback_error, "OAuth Provider returned an error")
            .with("error", excerpt(failure))
            .with("error_description", excerpt(text(given, "error_description")));
    demand(!given.has("id_token") && !given.has("token"),
           "implicit and hybrid flows are not supported");
    const auto granted = text(given, "code");
    demand(!granted.empty(), "callback parameter \"code\" is missing");
    return {std::string(granted), std::move(redirect_uri)};
}

}  // namespace authjs::oauth
