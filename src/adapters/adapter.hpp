// The store port: Auth.js's adapter, method by method, under its own names in snake case. All are
// asynchronous; none blocks the loop. A failure of the store is error(unavailable) where it cannot
// be asked and error(adapter_error) where it refuses; "there is none" is an empty optional.
// What writes has happened, whole or not at all, even if the task is dropped while it waits.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "util/json.hpp"
#include "util/task.hpp"
#include "util/time.hpp"

namespace authjs::adapters {

// Further columns, in order: what a table has beside Auth.js's own, and what a profile brought
// along.
using extras = std::vector<json::member>;

struct user {
    std::string id;
    std::optional<std::string> name, email, image;
    std::optional<instant> email_verified;
    extras more;
};

struct account {
    std::string user_id, type, provider, provider_account_id;
    std::optional<std::string> access_token, refresh_token, id_token, token_type, scope,
        session_state;
    std::optional<std::int64_t> expires_at;  // seconds since 1970
    extras more;
};

struct session {
    std::string session_token, user_id;
    instant expires;
    extras more;
};

struct session_and_user {
    adapters::session session;
    adapters::user user;
};

struct verification_token {
    std::string identifier, token;  // token: the hash
    instant expires;
};

class adapter {
public:
    virtual ~adapter() = default;

    // create_user stores and answers the row as it now is: the store may choose another id, and
    // columns may have defaults. A second user with the address of another is error(adapter_error)
    // where the layout forbids it. Members of `more` that the store has no place for are dropped.
    virtual task<user> create_user(user u) = 0;
    // An id that the store could never have given (malformed) is simply not there.
    virtual task<std::optional<user>> get_user(std::string id) = 0;
    virtual task<std::optional<user>> get_user_by_email(std::string email) = 0;
    virtual task<std::optional<user>> get_user_by_account(std::string provider,
                                                          std::string provider_account_id) = 0;
    // update_user writes the members that are set, besides `id`, and answers the whole row. Throws
    // error(adapter_error) if there is no such user.
    virtual task<user> update_user(user changes) = 0;
    virtual task<void> delete_user(std::string id) = 0;  // with accounts and sessions
    // link_account throws error(adapter_error), reason "taken", if the account is linked already.
    virtual task<void> link_account(account a) = 0;
    // Nothing happens if there is none.
    virtual task<void> unlink_account(std::string provider, std::string provider_account_id) = 0;
    virtual task<session> create_session(session s) = 0;
    // Both rows, or nothing. An expired session is returned as it is: the caller judges.
    virtual task<std::optional<session_and_user>> get_session_and_user(std::string token) = 0;
    // update_session of a row that is gone changes nothing (a sign-out is never undone).
    virtual task<void> update_session(std::string token, instant expires) = 0;
    // delete_session answers the row that went, for the signOut event.
    virtual task<std::optional<session>> delete_session(std::string token) = 0;
    virtual task<void> create_verification_token(verification_token t) = 0;
    // use_verification_token removes the row and answers it, to exactly one caller however many ask
    // at once. Identifier and hash must both match. Expired rows are answered too.
    virtual task<std::optional<verification_token>> use_verification_token(std::string identifier,
                                                                           std::string token) = 0;
    // create_signed_up writes a new user, its account (absent for e-mail) and its session (absent
    // in the jwt strategy), all or nothing where the store can. `a.user_id`/`s.user_id` are filled
    // in.
    struct signed_up {
        adapters::user user;
        std::optional<adapters::session> session;
    };
    // If the account or the address is there already (two first sign-ins at once), nothing is
    // written and error(adapter_error) is thrown whose reason() is "taken": look again.
    virtual task<signed_up> create_signed_up(user u, std::optional<account> a,
                                             std::optional<session> s) = 0;
    // remove_expired removes up to `at_most` sessions and verification tokens that ended before
    // `now` and answers how many. Stores whose rows expire by themselves keep the default: 0.
    virtual task<std::size_t> remove_expired(instant now, std::size_t at_most);
};

}  // namespace authjs::adapters
