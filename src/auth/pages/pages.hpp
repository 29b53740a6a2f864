// The built-in pages (spec/pages.md): static HTML, one style element, no script, nothing from other
// hosts but what the operator names.
#pragma once

#include <string>
#include <string_view>

#include "auth/context.hpp"

namespace authjs::auth::pages {

response sign_in(context& cx);
response sign_out(context& cx);
response verify_request(context& cx);
// confirm: the one button that spends an e-mail link (`confirm on`).
response confirm(context& cx);
// error knows Configuration, AccessDenied, Verification, SignInCircle and Unavailable; anything
// else is the plain page. `reason` picks an advice, `reference` is shown. Neither is trusted: both
// come from a query.
response error(const config& cf, std::string_view origin, std::string_view name,
               std::string_view reason, std::string_view reference);

// --- what the pages are made of ---
struct document {
    std::string_view title;
    std::string_view kind;   // class of the page's own div: signin, signout ...
    std::string card;        // HTML inside div.card
    std::string more_style;  // rules of this page, after the sheet
};
response render(const config& cf, int status, const document& d);

// The texts, by id; English. Other languages are further columns.
enum class text : unsigned char {
    title_sign_in,
    title_sign_out,
    title_verify_request,
    title_confirm,
    title_error,
    sign_in_with,
    email_label,
    email_placeholder,
    head_sign_out,
    ask_sign_out,
    do_sign_out,
    head_verify_request,
    sent_link,
    head_confirm,
    ask_confirm,
    do_sign_in,
    start_again,
    reference,
    head_error,
    head_configuration,
    configuration_1,
    configuration_2,
    head_denied,
    denied,
    head_link,
    link_1,
    link_2,
    head_unavailable,
    unavailable_1,
    unavailable_2,
    lost_signin,
    cookies_blocked,
    cookies_too_large,
    head_circle,
    circle_1,
    session_clock,
    session_secret,
    session_missing,
    session_scheme,
    session_store,
    another_account,
    same_account,
    not_sent,
    wrong_credentials,
    session_required,
    cannot_sign_in,
    count_
};
std::string_view say(text id) noexcept;

// tag text for a paragraph, and a hidden field; both escape.
std::string paragraph(std::string_view words);
std::string hidden(std::string_view name, std::string_view value);
std::string csrf_field(const context& cx);  // there, without a value, also where CSRF is off
std::string attribute(std::string_view name, std::string_view value);  // ` name="value"`
// advice for a `reason`, or empty.
std::string_view advice(std::string_view reason) noexcept;

}  // namespace authjs::auth::pages
