#include <utility>

#include "auth/pages/pages.hpp"

namespace authjs::auth::pages {

namespace {

struct row {
    text id;
    std::string_view english;
};
constexpr row rows[] = {
    {text::title_sign_in, "Sign In"},
    {text::title_sign_out, "Sign Out"},
    {text::title_verify_request, "Verify Request"},
    {text::title_confirm, "Sign In"},
    {text::title_error, "Error"},
    {text::sign_in_with, "Sign in with "},
    {text::email_label, "Email"},
    {text::email_placeholder, "email@example.com"},
    {text::head_sign_out, "Signout"},
    {text::ask_sign_out, "Are you sure you want to sign out?"},
    {text::do_sign_out, "Sign out"},
    {text::head_verify_request, "Check your email"},
    {text::sent_link, "A sign in link has been sent to your email address."},
    {text::head_confirm, "Almost there"},
    {text::ask_confirm, "Press the button to finish signing in."},
    {text::do_sign_in, "Sign in"},
    {text::start_again, "Start again"},
    {text::reference, "Reference: "},
    {text::head_error, "Error"},
    {text::head_configuration, "Server error"},
    {text::configuration_1, "There is a problem with the server configuration."},
    {text::configuration_2, "Check the server logs for more information."},
    {text::head_denied, "Access Denied"},
    {text::denied, "You do not have permission to sign in."},
    {text::head_link, "Unable to sign in"},
    {text::link_1, "The sign in link is no longer valid."},
    {text::link_2, "It may have been used already or it may have expired."},
    {text::head_unavailable, "Temporarily unavailable"},
    {text::unavailable_1, "Something that is needed to sign you in does not answer."},
    {text::unavailable_2, "Please try again in a moment."},
    {text::lost_signin,
     "This sign-in took too long, was finished already, or was begun in another window or browser. "
     "Nothing is broken: please start again."},
    {text::cookies_blocked,
     "Your browser did not send our cookies back. Allow cookies for this site and try again, in "
     "the "
     "browser in which you began."},
    {text::cookies_too_large,
     "Your browser holds too many or too large cookies for this site. You have not been signed "
     "in."},
    {text::head_circle, "Your sign\u2011in did not last"},
    {text::circle_1,
     "You have signed in, but this page does not see it. We stopped here instead of sending you "
     "round in circles."},
    {text::session_clock,
     "Your session is over the moment it begins: a clock is wrong. Only the people who run this "
     "site can mend that."},
    {text::session_secret,
     "Your session was sealed with a key that this page does not have. Only the people who run "
     "this site can mend that."},
    {text::session_missing,
     "Your browser did not bring your session back. Allow cookies for this site, check the date "
     "and time of your device, and try again; if that does not help, only the people who run this "
     "site can mend it."},
    {text::session_scheme,
     "You signed in over http and came back over https, or the other way round. Only the people "
     "who run this site can mend that."},
    {text::session_store,
     "Your session is not where this page looks for it. Only the people who run this site can mend "
     "that."},
    {text::another_account, "Try signing in with a different account."},
    {text::same_account,
     "To confirm your identity, sign in with the same account you used originally."},
    {text::not_sent, "The e-mail could not be sent."},
    {text::wrong_credentials, "Sign in failed. Check the details you provided are correct."},
    {text::session_required, "Please sign in to access this page."},
    {text::cannot_sign_in, "Unable to sign in."},
};

constexpr bool in_order() {
    if (std::size(rows) != static_cast<std::size_t>(text::count_)) return false;
    for (std::size_t i = 0; i < std::size(rows); ++i)
        if (static_cast<std::size_t>(rows[i].id) != i) return false;
    return true;
}
static_assert(in_order());

}  // namespace

std::string_view say(text id) noexcept { return rows[static_cast<std::size_t>(id)].english; }

std::string_view advice(std::string_view reason) noexcept {
    constexpr std::pair<std::string_view, text> reasons[] = {
        {"lost_signin", text::lost_signin},
        {"cookies_blocked", text::cookies_blocked},
        {"cookies_too_large", text::cookies_too_large},
        {"session_clock", text::session_clock},
        {"session_secret", text::session_secret},
        {"session_missing", text::session_missing},
        {"session_scheme", text::session_scheme},
        {"session_store", text::session_store},
    };
    for (const auto& [name, id] : reasons)
        if (name == reason) return say(id);
    return {};
}

}  // namespace authjs::auth::pages
