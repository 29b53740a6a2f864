// A provider as a value: a catalogue entry (providers/<id>.json) or a custom one, with the
// operator's options laid over it and everything checked. Immutable after the configuration is
// read.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oauth/oauth.hpp"
#include "util/json.hpp"

namespace authjs::providers {

enum class type : unsigned char { oauth, oidc, email, credentials, webauthn };
std::string_view type_name(type t) noexcept;

struct style {
    std::string bg, text, brand_color, logo;
};

// Text with {name} in it; filled at configuration time but for {token.x} and {callback_url}.
struct templated_header {
    std::string name;
    std::optional<std::string> value;  // empty: takes a default header away
};

struct userinfo_endpoint {
    std::string url;  // empty: discovered, or none
    std::string method = "GET";
    std::vector<templated_header> headers;
    std::optional<json::value> json;  // body
    std::string signed_alg;           // algorithm of a JWT answer, or empty
    bool has_select = false;          // a filter turns the document into the profile
    struct further {                  // a further request when the filter `when` says so
        std::string url;
        std::vector<templated_header> headers;
    };
    std::optional<further> then;
};

// One form field of a credentials provider, attributes in the operator's order.
struct field {
    std::string name;
    std::vector<std::pair<std::string, std::string>> attributes;
};

// How a credentials provider finds out who it is: exactly one of the two is set.
struct authorize {
    std::string htpasswd_file;
    std::string internal_uri;
};

class mapping;  // the compiled filters of one configuration (mapping.hpp)

struct provider {
    std::string id, name;
    providers::type type = type::oauth;
    providers::style style;
    std::string issuer;      // expanded; empty: none
    std::string well_known;  // discovery document's address in place of the derived one
    std::string issuer_placeholder, issuer_claim;  // "{tenantid}", "tid"; empty: none
    oauth::client client;

    std::string authorization_url;                   // empty: discovered
    std::vector<params::pair> authorization_params;  // structured ones already as JSON text
    bool has_authorization = false;                  // URL or params were configured
    std::string token_url;
    params token_params;
    userinfo_endpoint userinfo;
    std::string photo_url;
    std::string callback_json;  // callback parameter put into the profile
    bool id_token = true;       // false: the profile comes from userinfo
    // false: where the keys are is not known; TLS to the token endpoint vouches for the ID token
    // (OpenID Connect Core section 3.1.3.7, item 6). Its claims are checked all the same.
    bool id_token_keys = true;
    // at_hash and c_hash are compared if what they are of has at least so many characters: a
    // shorter one, below 128 bits, is no token that a service hands out (RFC 6749 section 10.10),
    // but what its documentation shows, with a hash of something else. OpenID Connect Core
    // section 3.1.3.8 leaves it to us; Auth.js never compares.
    std::size_t hashed_from = 0;
    bool check_pkce = true, check_state = false, check_nonce = false;
    bool https_only = false;  // refuses http callback URLs, even for localhost
    bool form_post = false;   // response_mode=form_post among the params
    bool allow_dangerous_email_account_linking = false;
    std::string redirect_proxy_url;  // own, or the configuration's; empty: none
    json::value options;             // resolved options, as filters see them

    // Filters, by number in `maps`; -1: none. See mapping.hpp.
    std::shared_ptr<const mapping> maps;
    int select_filter = -1, when_filter = -1, merge_filter = -1, profile_filter = -1,
        account_filter = -1;

    // credentials
    std::vector<field> fields;
    authorize authorize_by;

    // E-mail. One object of what was configured, values resolved: server, from, subject, template
    // {text, html} (file contents), token, normalize, confirm, send_uri, api_key and the service's
    // options. `send` is the file's own request (mail_service.hpp), null for SMTP.
    json::value email, send;
    int normalize_filter = -1;  // of `maps`: identifier -> identifier
    secret email_secret;
    seconds email_max_age{86400};

    bool is_oauth() const noexcept { return type == type::oauth || type == type::oidc; }
};

}  // namespace authjs::providers
