// What ends a flow. One type, whose code is the name that Auth.js gave it; a new failure is a row.
// A "no" that the protocol expects (no such user, no session) is an empty optional, not an error.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace authjs {

enum class code : unsigned char {
    access_denied,
    account_not_linked,
    adapter_error,
    auth_error,
    callback_route_error,
    configuration,  // any exception that is no Auth.js error; shown as Configuration
    credentials_signin,
    duplicate_conditional_ui,
    email_signin_error,
    error_page_loop,
    event_error,
    invalid_callback_url,
    invalid_check,
    invalid_endpoints,
    invalid_provider,
    jwt_session_error,
    missing_adapter,
    missing_adapter_methods,
    missing_authorize,
    missing_csrf,
    missing_secret,
    oauth_account_not_linked,
    oauth_callback_error,
    oauth_profile_parse_error,
    oauth_signin_error,
    session_token_error,
    sign_out_error,
    unknown_action,
    unsupported_strategy,
    untrusted_host,
    verification,
    webauthn_verification_error,
    unavailable,  // ours: a store or callback cannot be asked; 503 with Retry-After, cookies
                  // untouched
    count_
};

enum class page : unsigned char { signin, error };

// One row per code: Auth.js's public name, the page it lands on, and whether a browser may learn
// the name; one that it may not learn is shown as "Configuration" (spec: errors and what they
// show).
struct error_row {
    code id;
    std::string_view name;
    page lands_on;
    bool told;
};
const error_row& row_of(code id) noexcept;

class error : public std::exception {
public:
    explicit error(code id, std::string message = {}) : id_(id), message_(std::move(message)) {}

    // with adds one pair to the log line's context: never a secret, a token, a code or a cookie.
    error& with(std::string_view key, std::string_view value) & {
        context_.emplace_back(key, value);
        return *this;
    }
    error&& with(std::string_view key, std::string_view value) && {
        context_.emplace_back(key, value);
        return std::move(*this);
    }

    code id() const noexcept { return id_; }
    std::string_view name() const noexcept { return row_of(id_).name; }
    const std::string& message() const noexcept { return message_; }
    const std::vector<std::pair<std::string, std::string>>& context() const noexcept {
        return context_;
    }
    // The word for `reason=` on an error redirect (lost_signin, cookies_blocked, ...), or empty.
    const std::string& reason() const noexcept { return reason_; }
    error&& because(std::string_view word) && {
        reason_ = word;
        return std::move(*this);
    }
    // what is "<Name>: <message> key=value ...", one line, control characters escaped.
    const char* what() const noexcept override;

private:
    code id_;
    std::string message_;
    std::string reason_;
    std::vector<std::pair<std::string, std::string>> context_;
    mutable std::string what_;
};

}  // namespace authjs
