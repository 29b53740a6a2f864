#include "util/error.hpp"

#include <iterator>

#include "util/bytes.hpp"

namespace authjs {
namespace {

constexpr error_row rows[] = {
    {code::access_denied, "AccessDenied", page::error, true},
    {code::account_not_linked, "AccountNotLinked", page::signin, true},
    {code::adapter_error, "AdapterError", page::error, false},
    {code::auth_error, "AuthError", page::error, false},
    {code::callback_route_error, "CallbackRouteError", page::error, false},
    {code::configuration, "Configuration", page::error, false},
    {code::credentials_signin, "CredentialsSignin", page::signin, true},
    {code::duplicate_conditional_ui, "DuplicateConditionalUI", page::error, false},
    {code::email_signin_error, "EmailSignInError", page::error, false},
    {code::error_page_loop, "ErrorPageLoop", page::error, false},
    {code::event_error, "EventError", page::error, false},
    {code::invalid_callback_url, "InvalidCallbackUrl", page::error, false},
    {code::invalid_check, "InvalidCheck", page::error, false},
    {code::invalid_endpoints, "InvalidEndpoints", page::error, false},
    {code::invalid_provider, "InvalidProvider", page::error, false},
    {code::jwt_session_error, "JWTSessionError", page::error, false},
    {code::missing_adapter, "MissingAdapter", page::error, false},
    {code::missing_adapter_methods, "MissingAdapterMethods", page::error, false},
    {code::missing_authorize, "MissingAuthorize", page::error, false},
    {code::missing_csrf, "MissingCSRF", page::signin, true},
    {code::missing_secret, "MissingSecret", page::error, false},
    {code::oauth_account_not_linked, "OAuthAccountNotLinked", page::signin, true},
    {code::oauth_callback_error, "OAuthCallbackError", page::signin, true},
    {code::oauth_profile_parse_error, "OAuthProfileParseError", page::error, false},
    {code::oauth_signin_error, "OAuthSignInError", page::signin, false},
    {code::session_token_error, "SessionTokenError", page::error, false},
    {code::sign_out_error, "SignOutError", page::error, false},
    {code::unknown_action, "UnknownAction", page::error, false},
    {code::unsupported_strategy, "UnsupportedStrategy", page::error, false},
    {code::untrusted_host, "UntrustedHost", page::error, false},
    {code::verification, "Verification", page::error, true},
    {code::webauthn_verification_error, "WebAuthnVerificationError", page::error, true},
    {code::unavailable, "Unavailable", page::error, false},
};

constexpr bool every_code_has_its_row() {
    if (std::size(rows) != static_cast<std::size_t>(code::count_)) return false;
    for (std::size_t i = 0; i < std::size(rows); ++i)
        if (static_cast<std::size_t>(rows[i].id) != i) return false;
    return true;
}
static_assert(every_code_has_its_row());

}  // namespace

const error_row& row_of(code id) noexcept { return rows[static_cast<std::size_t>(id)]; }

const char* error::what() const noexcept try {
    std::string line(name());
    if (!message_.empty()) line += ": " + message_;
    for (const auto& [key, value] : context_) line += " " + key + "=" + value;
    what_ = without_controls(line);
    return what_.c_str();
} catch (...) {
    return "out of memory";
}

}  // namespace authjs
