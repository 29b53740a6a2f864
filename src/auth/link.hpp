// Whose user it is, and the session that follows (spec/flows.md sections 5 and 6).
#pragma once

#include <optional>
#include <string>

#include "auth/context.hpp"

namespace authjs::auth {

// Rows as callbacks see them, and back. Members of `user` that the table does not have travel in
// `more`.
json::value to_json(const adapters::user& u);
json::value to_json(const adapters::session& s);
adapters::user user_row(const json::value& u);
// What is stored of an account, and told with its event: what the provider's `account` filter, or
// Auth.js's default, keeps of the token set, then the members that name it; and that as a row.
json::value stored_account(const context& cx, const json::value& account);
adapters::account account_row(const json::value& kept);

// Who the browser is signed in as: empty if nobody. An expired session is nobody. Throws
// error(unavailable) where the store must be asked and cannot be.
struct signed_in {
    adapters::user user;
    std::optional<adapters::session> session;  // database strategy
};
task<std::optional<signed_in>> who_is_signed_in(context& cx);

// open_session makes a session row, with a new id, for a user whom the store knows; empty in the
// JWT strategy.
task<std::optional<adapters::session>> open_session(context& cx, std::string user_id);

// close_session deletes a row and tells every worker of this master, so that none serves it from
// memory (auth_js_session cache=). Answers the row that went.
task<std::optional<adapters::session>> close_session(context& cx, std::string token);

struct linked {
    json::value user;                          // the stored one, with an adapter
    std::optional<adapters::session> session;  // database strategy: the row to set the cookie from
    std::optional<bool> is_new;                // empty: no adapter
};
// link_oauth: account known, unknown, address taken ... Throws error(oauth_account_not_linked).
task<linked> link_oauth(context& cx, json::value user, json::value account, json::value mapped);
// link_email: after a verification token was used. The address's user is signed in, or made.
task<linked> link_email(context& cx, json::value user);

// finish_sign_in sets the session, tells the event and answers the redirect.
struct arrival {
    json::value account;
    std::optional<json::value> profile;  // OAuth
};
task<response> finish_sign_in(context& cx, arrival who, linked found);

// The claims of a new token: {name, email, picture, sub}, absent members absent.
json::value new_claims(const json::value& user);
// write_token queues the session cookie of these claims (JWT strategy).
void write_token(context& cx, json::value claims);

// still_signed_in answers a redirect to the settled target if the browser has a valid session:
// where a callback that cannot be completed ends then (sec 44, 52).
task<std::optional<response>> still_signed_in(context& cx);

}  // namespace authjs::auth
