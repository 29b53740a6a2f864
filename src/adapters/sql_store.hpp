// The store port over an SQL database: statements made from a layout and the catalog, which is read
// once. What a table has beside Auth.js's columns travels in `more`, both ways.
#pragma once

#include <memory>

#include "adapters/adapter.hpp"
#include "adapters/profiles.hpp"
#include "adapters/sql.hpp"
#include "io/ports.hpp"

namespace authjs::adapters {

class sql_store final : public adapter {
public:
    // Clock and random outlive the store.
    sql_store(std::unique_ptr<sql::database> db, layout names, io::clock& clock,
              io::random& random);
    ~sql_store() override;

    task<user> create_user(user u) override;
    task<std::optional<user>> get_user(std::string id) override;
    task<std::optional<user>> get_user_by_email(std::string email) override;
    task<std::optional<user>> get_user_by_account(std::string provider,
                                                  std::string provider_account_id) override;
    task<user> update_user(user changes) override;
    task<void> delete_user(std::string id) override;
    task<void> link_account(account a) override;
    task<void> unlink_account(std::string provider, std::string provider_account_id) override;
    task<session> create_session(session s) override;
    task<std::optional<session_and_user>> get_session_and_user(std::string token) override;
    task<void> update_session(std::string token, instant expires) override;
    task<std::optional<session>> delete_session(std::string token) override;
    task<void> create_verification_token(verification_token t) override;
    task<std::optional<verification_token>> use_verification_token(std::string identifier,
                                                                   std::string token) override;
    task<signed_up> create_signed_up(user u, std::optional<account> a,
                                     std::optional<session> s) override;
    task<std::size_t> remove_expired(instant now, std::size_t at_most) override;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace authjs::adapters
