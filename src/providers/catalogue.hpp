// From a name to a provider: the embedded catalogue (providers/*.json), the operator's own folder
// (auth_js_provider_dir), custom `type oauth|oidc|email|credentials`, and the lines of a provider
// block.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "providers/mapping.hpp"
#include "providers/provider.hpp"

namespace authjs::providers {

// One line of a provider block: `token_param name value;` is {"token_param", {"name","value"}}.
// Values are resolved (env:, file:) by the reader of the configuration.
struct line {
    std::string name;
    std::vector<std::string> values;
    std::string where;  // "file:line"
};

struct declaration {
    std::string id;  // catalogue id, or a new one with a `type` line
    std::string as;  // new id, or empty
    std::vector<line> lines;
    std::string where;
};

// Answers a variable of the environment (env file first), or empty. Called with names such as
// AUTH_GITHUB_ID; whoever implements it notes the names for nginx's `env`.
using environment = std::function<std::optional<std::string>(std::string_view name)>;

// What needs to be known of the configuration around a provider.
struct surroundings {
    environment env;
    bool lenient = false;  // a signalling process: missing variables and files count as present
    std::function<void(const std::string& where, const std::string& text)> warn;
};

// loader collects the providers of one whole configuration. declare() answers the provider's object
// at once; its content is complete after finish().
class loader {
public:
    explicit loader(surroundings around);
    ~loader();

    // add_folder reads the operator's own *.json files; they win over embedded ones of the same id.
    std::optional<mistake> add_folder(const std::string& path, const std::string& where);

    struct declared {
        std::shared_ptr<provider> made;
        std::optional<mistake> wrong;  // set: made is null
    };
    // declare checks names, options, missing values (each mistake says what to write instead;
    // unknown names come with the nearest known ones).
    declared declare(const declaration& d);

    // filter registers a jq filter that is no provider's (callbacks, auth_js_set).
    int filter(std::string jq, std::string where);

    // finish compiles all filters, evaluates `vars`, expands templates, fills every provider.
    std::optional<mistake> finish();

    std::shared_ptr<const mapping> filters() const;  // shared by every provider and configuration

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

// Lines whose value is a jq filter: a `$` in them is jq's.
bool is_filter_line(std::string_view name) noexcept;
// What is wrong between a provider and the site it serves, empty: nothing. `site_url` is
// auth_js_url, or empty where the site's address is only known from requests.
std::optional<std::string> site_mistake(const provider& p, std::string_view site_url);
// What is to be warned of: a provider that cannot go through auth_js_redirect_proxy_url.
std::optional<std::string> proxy_warning(const provider& p, std::string_view redirect_proxy_url);

// The ids of the embedded catalogue, sorted.
std::vector<std::string_view> catalogue_ids();
// nearest: up to three of `known` that `word` may have meant, nearest first.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string_view>& known);
// known_are names all of `known` where nothing is near: "known are a, b"; empty if the list is
// long.
std::string known_are(const std::vector<std::string_view>& known);

}  // namespace authjs::providers
