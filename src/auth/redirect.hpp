// Where a flow may send the browser (spec/http.md section 6, security.md section C).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace authjs::auth {

// default_redirect is Auth.js's default `redirect` callback: text that begins with "/" stands under
// `origin`; an absolute URL of the same origin, or of one of `allowed` (https://host,
// https://*.host), is kept as given; anything else is `origin`. Empty where Auth.js throws: neither
// a path nor an absolute URL.
std::optional<std::string> default_redirect(std::string_view target, std::string_view origin,
                                            const std::vector<std::string>& allowed = {});

// origin_allowed: `origin` is one of `allowed`. `*.` stands for one or more labels.
bool origin_allowed(std::string_view origin, const std::vector<std::string>& allowed) noexcept;

// under_base: the target is a route of ours below origin + base_path.
bool under_base(std::string_view target, std::string_view origin, std::string_view base_path);

// without_loop: a target that is our own sign-in, callback or sign-out gives way to the target that
// its own query names, and at last to `origin`, so that a finished sign-in never lands on a route
// that begins another (sec 40).
std::string without_loop(std::string target, std::string_view origin, std::string_view base_path,
                         const std::vector<std::string>& allowed);

// location_text: a URL for the Location header, the same that parse_url sees in `target`. What the
// URL standard's parser leaves out (section 4.4: controls and spaces around, tabs and line ends
// anywhere) goes; other control characters and bytes above ASCII are percent-encoded.
std::string location_text(std::string_view target);

// is_http_url: the text is an http(s) URL, relative to `origin` only if it begins with "/" (spec/
// http.md section 4).
bool is_http_url(std::string_view text, std::string_view origin);

}  // namespace authjs::auth
