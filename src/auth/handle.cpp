#include "auth/handle.hpp"

#include <array>

#include "auth/callbacks.hpp"
#include "auth/context.hpp"
#include "auth/csrf.hpp"
#include "auth/cure.hpp"
#include "auth/deadline.hpp"
#include "auth/pages/pages.hpp"
#include "auth/redirect.hpp"
#include "util/bytes.hpp"

namespace authjs::auth {

namespace {

constexpr milliseconds flow_limit{30'000};
constexpr int retry_after_seconds = 10;
constexpr std::size_t longest_target =
    8192;  // encoded: what stands before us reads no more headers
constexpr json::limits body_limits{64 * 1024, 256, true};

using runner = task<response> (*)(context&);
struct row {
    runner get, post;  // null: UnknownAction
    bool page;         // GET shows a page: also for HEAD, and a misconfiguration shows one too
};
constexpr std::array<row, static_cast<std::size_t>(action::count_)> rows{{
    {do_callback, do_callback, false},
    {do_csrf, nullptr, false},
    {do_error, nullptr, true},
    {do_providers, nullptr, false},
    {do_session, do_session, false},
    {do_sign_in, do_sign_in, true},
    {do_sign_out, do_sign_out, true},
    {do_verify_request, nullptr, true},
    {do_webauthn_options, nullptr, false},
}};
const row& row_of_action(action a) { return rows[static_cast<std::size_t>(a)]; }

response plain_json(int status, std::string body) {
    response rs;
    rs.status = status;
    rs.fields.push_back({"Content-Type", "application/json"});
    rs.body = std::move(body);
    own_headers(rs);
    return rs;
}

// The body's fields, by a case-sensitive search in Content-Type as Auth.js does it. Empty: it
// cannot be read (an invalid JSON text). The text is decoded and read as a browser's own would be.
std::optional<json::value> read_body(const request& rq) {
    json::value fields;
    const auto* type = rq.field("Content-Type");
    if (rq.method != "POST" || !type) return fields;
    if (type->find("application/json") != type->npos) {
        std::string_view text = rq.body;
        if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
        auto parsed = json::parse(well_formed(text), body_limits);
        if (parsed && !parsed->is_object()) return fields;
        return parsed;
    }
    if (type->find("application/x-www-form-urlencoded") != type->npos) {
        fields = json::object{};
        const auto form = params::parse(rq.body).as_object();
        for (const auto& [name, value] : form.list()) fields.as_object()->push_back({name, value});
    }
    return fields;
}

// Where a failure is the operator's to mend it is an error in the log; what any stranger can bring
// about is not, or a log could be flooded at that level.
io::level level_of(const error& e, io::shared_cache& shared) {
    switch (e.id()) {
        case code::untrusted_host:
            return untrusted_level(shared);
        case code::access_denied:
        case code::credentials_signin:
        case code::invalid_callback_url:
        case code::invalid_check:
        case code::invalid_provider:
        case code::missing_csrf:
        case code::oauth_account_not_linked:
        case code::oauth_callback_error:
        case code::unknown_action:
        case code::verification:
            return io::level::info;
        default:
            return io::level::error;
    }
}

void log_failure(const request& rq, ports& io, const error& e) {
    std::string line = e.what();
    if (const auto cure = cure_of(e); !cure.empty()) line.append(": ").append(cure);
    if (!rq.id.empty()) line += " ref=" + rq.id;
    io.log.write(level_of(e, io.shared), line);
}

std::string with_origin(std::string_view origin, const std::string& page) {
    return page.starts_with('/') ? std::string(origin) + page : page;
}

// What a problem with the configuration is answered by (spec/http.md section 4): no cookies, no
// redirect to a host that is not trusted.
response misconfigured(const request& rq, const config& cf, ports& io, action a,
                       const error& problem) {
    log_failure(rq, io, problem);
    response rs;
    const auto& page = cf.page(custom_page::error);
    if (rq.method == "POST" || !row_of_action(a).page) {
        rs = plain_json(500, R"({"message":"There was a problem with the server configuration. )"
                             R"(Check the server logs for more information."})");
    } else if (page.empty()) {
        rs = pages::error(cf, rq.origin, "Configuration", {}, rq.id);
    } else {
        const auto query = params::parse(rq.query);
        const auto* back = query.last("callbackUrl");
        if (back && back->starts_with(page)) {
            log_failure(rq, io, error(code::error_page_loop, "the error page itself is refused"));
            rs = pages::error(cf, rq.origin, "Configuration", {}, rq.id);
        } else {
            rs.status = 302;
            rs.fields.push_back(
                {"Location", location_text(with_origin(rq.origin, page) + "?error=Configuration")});
            own_headers(rs);
        }
    }
    rs.error = problem.name();
    return rs;
}

// What Auth.js checks of its configuration on every request and only a request can show; all else
// was checked when the configuration was read.
std::optional<error> problem_of(const request& rq, const config& cf, const params& query,
                                const cookie_jar& jar) {
    if (rq.origin.empty())
        return error(code::untrusted_host, "this host is not the site's")
            .with("host", rq.asked_host);
    const auto* given = query.last("callbackUrl");
    const auto* kept = jar.find(cf.cookies(rq.https)[which::callback_url].name);
    for (const auto* url : {given, kept})
        if (url && !url->empty() && !is_http_url(*url, rq.origin))
            return error(code::invalid_callback_url, "callback URL is not http(s)");
    return std::nullopt;
}

// Is this POST from a page of the site (auth_js_csrf origin)? Browsers tell in Sec-Fetch-Site where
// the connection is secure, else in Origin.
bool from_own_page(const request& rq) {
    if (const auto* site = rq.field("Sec-Fetch-Site"))
        return *site == "same-origin" || *site == "none";
    const auto* origin = rq.field("Origin");
    return origin && *origin == rq.origin;
}

void settle_csrf(context& cx) {
    if (cx.cf.csrf == csrf_mode::off) {
        cx.csrf_verified = true;
        return;
    }
    auto settled = csrf_of(cx.cf, cx.rq.https, cx.jar, cx.io.random);
    cx.csrf_token = std::move(settled.token);
    if (settled.cookie) cx.settled.push_back(std::move(*settled.cookie));
    if (!cx.post()) return;
    cx.csrf_verified = cx.cf.csrf == csrf_mode::origin
                           ? from_own_page(cx.rq)
                           : settled.known && cx.body.find("csrfToken") &&
                                 same_secret(cx.field("csrfToken"), cx.csrf_token);
}

task<void> settle_callback_url(context& cx) {
    const auto& kind = cx.cookies[which::callback_url];
    const auto* kept = cx.jar.find(kind.name);
    std::string wanted;
    const auto* in_body = cx.body.find("callbackUrl");
    if (in_body && !in_body->is_null()) {
        if (in_body->truthy() && !in_body->is_string())
            throw error(code::invalid_callback_url, "callbackUrl of the body is no text");
        wanted = cx.field("callbackUrl");  // an empty one hides the query's
    } else if (const auto* in_query = cx.query.last("callbackUrl")) {
        wanted = *in_query;
    }
    if (wanted.empty() && kept) wanted = *kept;
    cx.callback_url = cx.rq.origin;
    if (!wanted.empty()) {
        auto judged = co_await ask_redirect(cx, std::move(wanted));
        cx.callback_url = std::move(judged);
    }
    if (encode_uri_component(cx.callback_url).size() > longest_target)
        cx.callback_url = cx.rq.origin;
    if (!kept || *kept != cx.callback_url)
        cx.settled.push_back({kind.name, cx.callback_url, kind.options, {}});
}

task<response> dispatch(context& cx, std::string_view provider_id) {
    if (!provider_id.empty()) {
        cx.provider = cx.cf.provider(provider_id);
        if (!cx.provider)
            throw error(code::invalid_provider, "no such provider").with("provider", provider_id);
    }
    settle_csrf(cx);
    co_await settle_callback_url(cx);
    const auto& actions = row_of_action(cx.action);
    const auto run = cx.post() ? actions.post : actions.get;
    if (!run)
        throw error(code::unknown_action, "method does not fit")
            .with("action", action_name(cx.action));
    auto answer = co_await run(cx);
    co_return answer;
}

// The query of an error redirect: Auth.js's own parameters, then ours.
params error_query(const context& cx, const error& e) {
    const auto& about = row_of(e.id());
    params query;
    query.set("error", about.told ? about.name : "Configuration");
    if (e.id() == code::credentials_signin) {
        std::string_view why = "credentials";
        for (const auto& [key, value] : e.context())
            if (key == "code") why = value;
        query.set("code", why);
    }
    if (!e.reason().empty()) query.set("reason", e.reason());
    if (!about.told && !cx.rq.id.empty()) query.set("ref", cx.rq.id);
    return query;
}

response unavailable(context& cx, const error& e, const std::string& url) {
    response rs;
    if (cx.action == action::session) {
        rs = plain_json(503, "null");
    } else if (cx.rq.field("X-Auth-Return-Redirect")) {
        json::value body;
        body.set("url", url);
        rs = plain_json(503, json::stringify(body));
    } else {
        rs = pages::error(cx.cf, cx.rq.origin, "Unavailable", e.reason(), cx.rq.id);
    }
    rs.fields.push_back({"Retry-After", std::to_string(retry_after_seconds)});
    return rs;
}

// The one place where a failure becomes an answer (spec/http.md section 8). It sets no cookies.
response failure(context& cx, const error& e) {
    response rs;
    const auto& about = row_of(e.id());
    const bool at_signin = about.lands_on == page::signin;
    const auto& custom = cx.cf.page(at_signin ? custom_page::sign_in : custom_page::error);
    auto url = custom.empty() ? cx.base + (at_signin ? "/signin" : "/error")
                              : with_origin(cx.rq.origin, custom);
    url += custom.find('?') == custom.npos ? '?' : '&';
    url += error_query(cx, e).to_string();

    if (e.id() == code::unavailable) {
        rs = unavailable(cx, e, url);
    } else if (cx.action == action::session && cx.post()) {
        rs = plain_json(400, "null");
    } else if (e.id() == code::oauth_profile_parse_error) {
        // Auth.js sends the browser back to the sign-in page, the checks being used up.
        cx.settled.clear();
        rs = redirect_to(cx, cx.base + "/signin");
    } else {
        cx.settled.clear();
        cx.queued.clear();
        rs = redirect_to(cx, url);
        if (cx.rq.field("X-Auth-Return-Redirect"))
            std::erase_if(rs.fields, [](const auto& f) { return f.name == "Location"; });
    }
    rs.error = about.name;
    return rs;
}

}  // namespace

io::level untrusted_level(io::shared_cache& shared) {
    return shared.once("said:UntrustedHost", milliseconds{60'000}) ? io::level::error
                                                                   : io::level::info;
}

task<response> handle(request rq, const config& cf, ports io) {
    const auto where = parse_route(rq.path, cf.base_path);
    const bool shows = where && where->provider_id.empty() &&
                       (row_of_action(where->action).page || where->action == action::csrf ||
                        where->action == action::providers);
    if (rq.method == "HEAD" && shows) rq.method = "GET";  // nothing is spent by looking
    auto body = read_body(rq);
    if (!where || !body || (rq.method != "GET" && rq.method != "POST")) {
        log_failure(rq, io, error(code::unknown_action, "not a request that Auth.js answers"));
        auto rs = plain_json(400, "\"Bad request.\"");
        rs.error = row_of(code::unknown_action).name;
        co_return rs;
    }
    if (rq.early_data && !(rq.method == "GET" && (shows || where->action == action::session))) {
        response rs;
        rs.status = 425;  // RFC 8470: ask again after the handshake
        own_headers(rs);
        co_return rs;
    }

    context cx(rq, cf, io);
    cx.action = where->action;
    cx.query = params::parse(rq.query);
    cx.body = std::move(*body);
    cx.jar = cookie_jar::parse(rq.cookies);
    cx.base = rq.origin + cf.base_path;
    if (const auto problem = problem_of(rq, cf, cx.query, cx.jar))
        co_return misconfigured(rq, cf, io, where->action, *problem);

    std::optional<error> failed;
    try {
        within<response> answer(io.loop, flow_limit, dispatch(cx, where->provider_id));
        auto rs = co_await answer;
        co_return rs;
    } catch (const error& e) {
        failed = e;
    } catch (const std::exception& e) {
        failed = error(code::configuration, e.what());
    }
    // In a callback whatever is no error of Auth.js's own is one of the callback route.
    if (failed->id() == code::configuration && cx.action == action::callback) {
        error renamed(code::callback_route_error, failed->message());
        for (const auto& [key, value] : failed->context()) renamed.with(key, value);
        failed = std::move(renamed).because(failed->reason());
    }
    log_failure(rq, io, *failed);
    try {
        co_return failure(cx, *failed);
    } catch (const std::exception& e) {
        io.log.write(io::level::error, e.what());
    }
    co_return plain_json(500, "null");
}

}  // namespace authjs::auth
