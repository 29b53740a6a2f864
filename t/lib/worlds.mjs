// Configurations in both notations: what Auth.js is given as objects and functions, and nginx as
// directives. One row per world; a provider, a callback is described once for both.
import http from "node:http";
import { CredentialsSignin } from "@auth/core/errors";
import { skipCSRFCheck } from "@auth/core";
import { Twins } from "./twins.mjs";

export const secret = "differential-secret-0123456789abcdef";

// --- Callbacks: the same logic for both ----------------------------------------------------------

const big = "0123456789abcdef".repeat(500);
export const functions = {
    signIn({ user, credentials }) {
        const word = String(user.name ?? "") + String(user.email ?? "") + String(credentials?.word ?? "");
        if (word.includes("refuse")) return false;
        if (word.includes("elsewhere")) return "/elsewhere?x=1";
        if (word.includes("away")) return "http://evil.example/";
        if (word.includes("throw")) throw new Error("signIn");
        return true;
    },
    redirect({ url, baseUrl }) {
        if (url.includes("boom")) throw new Error("redirect");
        if (url.startsWith("/go/")) return `${baseUrl}/went`;
        if (url.startsWith("/relative")) return "/relative";
        if (url.startsWith("https://friend.example/")) return url;
        if (url.startsWith("/")) return baseUrl + url;
        return url.startsWith(baseUrl) ? url : `${baseUrl}/home`;
    },
    jwt({ token, account, trigger, session }) {
        if (token.name === "nobody") return null;
        if (token.name === "boom") throw new Error("jwt");
        const out = { ...token, role: "reader", half: 0.5 };
        if (account) out.via = account.provider;
        if (trigger === "update") out.note = session;
        if (trigger === "signIn") out.first = true;
        if (token.name === "big") out.load = big;
        return out;
    },
    session({ session, token, user, newSession }) {
        if (token) return { ...session, role: token.role, note: token.note, id: token.sub };
        if (user.name === "boom") throw new Error("session");
        return { ...session, note: newSession, id: user.id };
    },
};
const jq = {
    signIn: `((.user.name // "" | tostring) + (.user.email // "" | tostring) + (.credentials.word // "" | tostring)) as $w
        | if ($w | contains("refuse")) then false elif ($w | contains("elsewhere")) then "/elsewhere?x=1"
        elif ($w | contains("away")) then "http://evil.example/" elif ($w | contains("throw")) then error("signIn") else true end`,
    redirect: `.url as $u | .baseUrl as $b
        | if ($u | contains("boom")) then error("redirect") elif ($u | startswith("/go/")) then $b + "/went"
        elif ($u | startswith("/relative")) then "/relative" elif ($u | startswith("https://friend.example/")) then $u
        elif ($u | startswith("/")) then $b + $u elif ($u | startswith($b)) then $u else $b + "/home" end`,
    jwt: `. as $in | if .token.name == "nobody" then null elif .token.name == "boom" then error("jwt") else
        .token + {role: "reader", half: 0.5}
        | if $in.account then .via = $in.account.provider else . end
        | if $in.trigger != "update" then . elif $in | has("session") then .note = $in.session else del(.note) end
        | if $in.trigger == "signIn" then .first = true else . end
        | if $in.token.name == "big" then .load = ("0123456789abcdef" * 500) else . end end`,
    session: `if .token then .session + ([["role", "role"], ["note", "note"], ["sub", "id"]] as $m | .token as $t
        | [$m[] | . as [$from, $to] | select($t | has($from)) | {($to): $t[$from]}] | add // {})
        elif .user.name == "boom" then error("session")
        else .session + (if has("newSession") then {note: .newSession} else {} end) + {id: .user.id} end`,
};
const jqFiles = Object.fromEntries(Object.entries(jq).map(([n, text]) => [`conf/${n}.jq`, text]));
const underscored = (name) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

// A JSON body that is no object is a form without fields; Auth.js hands it on as it is.
const formOf = (body) => (Object(body) === body && !Array.isArray(body) ? body : {});

// Who a credentials form lets in; in nginx an internal location answers the same.
class Locked extends CredentialsSignin { code = "locked"; }
export function authorize(fields) {
    switch (fields.password) {
        case "good": return { id: "17", name: `Cred ${fields.username ?? ""}`, email: "Cred@Example.com", image: null };
        case "number": return { id: 7, name: "Seven" };
        case "noid": return { name: "No Id" };
        case "plain": return { id: "p", name: fields.username };
        case "locked": throw new Locked();
        case "text": return "a text";
        case "boom": throw new Error("authorize");
        default: return null;
    }
}

// How letters leave: both sides are told the same of each; one to "bounce" cannot be delivered.
const filled = (all) => Object.fromEntries(Object.entries(all).filter(([, v]) => v));
function sendVerificationRequest({ identifier, token, expires, url, provider: { id, type, name, from }, theme }, record) {
    record("letter", { identifier, token, expires, url, provider: { id, type, name, from }, theme: filled(theme) });
    const sent = (async () => { if (identifier.startsWith("bounce")) throw new Error("no such box"); })();
    sent.catch(() => {});      // Auth.js looks at it only after it has made the token's hash
    return sent;
}

// startApp: what answers the internal locations. `calls` collects every document it was asked with.
export async function startApp() {
    const calls = [];
    const server = http.createServer(async (rq, rs) => {
        let body = "";
        for await (const chunk of rq) body += chunk;
        const name = rq.url.slice(1);
        const document = JSON.parse(body);
        calls.push({ name, document });
        const answer = (status, json) => rs.writeHead(status, { "content-type": "application/json" }).end(json === undefined ? "" : JSON.stringify(json));
        if (name === "letter") return answer(document.identifier.startsWith("bounce") ? 500 : 202);
        try {
            const value = name === "authorize" ? authorize(document) : functions[name](document);
            if (name === "authorize" && value === null) return answer(401);
            answer(200, value === undefined ? null : value);
        } catch (e) {
            e instanceof CredentialsSignin ? answer(403, { code: e.code }) : answer(500);
        }
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    return { port: server.address().port, calls, close: () => { server.closeAllConnections(); server.close(); } };
}

// --- Providers -----------------------------------------------------------------------------------

const auth_methods = (p) => (p.method ? `token_auth_method ${p.method};` : "");
const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

function nginxProvider(p) {
    if (p.type === "credentials")
        return `auth_js_provider credentials as ${p.id} { name ${quoted(p.name)};
            ${p.fields.map(([n, a]) => `field ${n} ${Object.entries(a).map(([k, v]) => quoted(`${k}=${v}`)).join(" ")};`).join("\n")}
            authorize uri /_call/authorize; }`;
    if (p.type === "email") return `auth_js_provider ${p.id} { ${p.id === "nodemailer" ? "" : `type email; name ${quoted(p.name)};`} send uri /_call/letter; from ${p.from}; ${p.maxAge ? `max_age ${p.maxAge}s;` : ""} }`;
    const lines = [`type ${p.type}`, `client_id ${p.clientId ?? "test-client"}`, `client_secret ${p.clientSecret ?? "test-secret"}`];
    const line = (name, value) => value !== undefined && lines.push(`${name} ${value}`);
    line("issuer", p.issuer);
    line("name", p.name && quoted(p.name));
    line("authorization_url", p.authorization && quoted(p.authorization));
    for (const [n, v] of Object.entries(p.params ?? {})) line("authorization_param", `${n} ${quoted(v)}`);
    line("token_url", p.token);
    line("userinfo_url", p.userinfo);
    line("checks", p.checks?.join(" "));
    line("token_auth_method", p.method);
    line("id_token", p.idToken === false ? "off" : undefined);
    line("redirect_proxy_url", p.redirectProxyUrl);
    line("style", p.style && Object.entries(p.style).map(([n, v]) => quoted(`${n}=${v}`)).join(" "));
    line("allow_dangerous_email_account_linking", p.linksByEmail ? "on" : undefined);
    line("profile", p.profile && `'${p.profile.jq}'`);
    return `auth_js_provider ${p.id} { ${lines.map((l) => `${l};`).join(" ")} }`;
}

function authjsProvider(p) {
    if (p.type === "credentials")
        return { id: p.id, name: p.name, type: "credentials", credentials: Object.fromEntries(p.fields), authorize: (body) => p.calls?.(formOf(body)) ?? authorize(formOf(body)) };
    if (p.type === "email")
        return { id: p.id, name: p.name, type: "email", from: p.from, ...(p.maxAge && { maxAge: p.maxAge }), sendVerificationRequest: (told) => sendVerificationRequest(told, p.record) };
    const style = p.style && { ...p.style, ...(p.style.brand && { brandColor: p.style.brand }) };
    return {
        id: p.id, name: p.name ?? p.id, type: p.type, clientId: p.clientId ?? "test-client", clientSecret: p.clientSecret ?? "test-secret",
        ...(p.issuer && { issuer: p.issuer }),
        ...(p.authorization ? { authorization: p.params ? { url: p.authorization, params: p.params } : p.authorization } : p.params && { authorization: { params: p.params } }),
        ...(p.token && { token: p.token }), ...(p.userinfo && { userinfo: p.userinfo }),
        ...(p.checks && { checks: p.checks }), ...(p.idToken === false && { idToken: false }),
        ...(p.method && { client: { token_endpoint_auth_method: p.method } }),
        ...(p.redirectProxyUrl && { redirectProxyUrl: p.redirectProxyUrl }), ...(p.linksByEmail && { allowDangerousEmailAccountLinking: true }),
        ...(style && { style }), ...(p.profile && { profile: p.profile.js }),
    };
}

// The usual set: `at` is the provider's origin, `plain` that of one that issues no ID tokens.
export const usualProviders = (at, plain) => [
    { id: "op", name: "Open & <Provider>", type: "oidc", issuer: at },
    { id: "full", type: "oidc", issuer: at, checks: ["pkce", "state", "nonce"], style: { bg: "#24292f", text: "#fff" }, method: "client_secret_post" },
    { id: "noncer", type: "oidc", issuer: at, checks: ["nonce"], params: { scope: "openid email", prompt: "consent" } },
    { id: "hub", name: "Hub", type: "oauth", authorization: `${plain}/authorize?scope=read+write&x=1`, token: `${plain}/token`, userinfo: `${plain}/userinfo`, checks: ["state"], style: { bg: "#ffffff", brand: "#0366d6", logo: "/hub.svg" } },
    { id: "mapped", type: "oauth", authorization: `${plain}/authorize`, params: { scope: "user" }, token: `${plain}/token`, userinfo: `${plain}/userinfo`, checks: ["pkce", "state"], method: "none",
        profile: { jq: "{id: .sub} + (if has(\"name\") then {name} else {} end) + {email, image: .picture, more: [.sub]}", js: (p) => ({ id: p.sub, name: p.name, email: p.email, image: p.picture, more: [p.sub ?? null] }) } },
    { id: "bare", type: "oauth", authorization: `${plain}/authorize`, token: `${plain}/token`, userinfo: `${plain}/userinfo`, checks: ["none"] },
    { id: "posted", type: "oidc", issuer: at, checks: ["state", "nonce"], params: { response_mode: "form_post" } },
    { id: "informed", type: "oidc", issuer: at, checks: ["pkce", "state"], idToken: false, method: "client_secret_jwt" },
];
const form = { id: "login", name: "Login", type: "credentials", fields: [["username", { label: "User name", type: "text", placeholder: "ada" }], ["password", { label: "Password", type: "password", autocomplete: "current-password" }], ["word", {}]] };
const letters = { id: "nodemailer", name: "Nodemailer", type: "email", from: "no-reply@example.com" };

// Fields with every kind of attribute that a page may be told of.
const attributes = { label: "E-mail <b>&\"", type: "email", placeholder: "a@b & \"c\"", pattern: ".+@.+", title: "An address", autocomplete: "username", minlength: "3", maxlength: "64", "aria-describedby": "hint", required: "", value: "x>y'" };
const detailed = { id: "detailed", name: "De & <tailed>", type: "credentials", fields: [["mail", attributes], ["pin", { type: "number", min: "0", step: "1" }], ["hidden", { type: "hidden", value: "h" }], ["plain", {}]] };
const mail = { id: "mail", name: "Mail & <more>", type: "email", from: "no-reply@example.com" };

// --- Worlds --------------------------------------------------------------------------------------

const cookieNames = (secure, over = {}) => {
    const s = secure ? "__Secure-" : "";
    return { sessionToken: `${s}authjs.session-token`, callbackUrl: `${s}authjs.callback-url`, csrfToken: `${secure ? "__Host-" : ""}authjs.csrf-token`, pkceCodeVerifier: `${s}authjs.pkce.code_verifier`, state: `${s}authjs.state`, nonce: `${s}authjs.nonce`, webauthnChallenge: `${s}authjs.challenge`, ...over };
};
const pageWords = { signIn: "sign_in", signOut: "sign_out", error: "error", verifyRequest: "verify_request", newUser: "new_user" };
const cookieWords = { sessionToken: "session_token", callbackUrl: "callback_url", csrfToken: "csrf_token", pkceCodeVerifier: "pkce_code_verifier", state: "state", nonce: "nonce" };
const optionWords = { domain: "domain", path: "path", sameSite: "same_site", secure: "secure", httpOnly: "http_only", partitioned: "partitioned", priority: "priority", maxAge: "max_age" };
const onOff = (v) => (v === true ? "on" : v === false ? "off" : v);

// rows: what differs from the default. `kind` of callbacks: "jq" or "uri"; `store`: the adapter, with
// its strategy; `shown`: a world for its pages alone.
function rows(at, plain, broken) {
    const some = (...ids) => usualProviders(at, plain).filter((p) => ids.includes(p.id));
    return [
        { name: "plain", providers: [...usualProviders(at, plain), form, ...broken] },
        { name: "api", basePath: "/api/auth", providers: [...some("op", "hub"), form], theme: { colorScheme: "dark", logo: "https://img.example/l.png?a=1&b=2", brandColor: "#336699", buttonText: "#ffeedd" }, secrets: [secret, "an-older-secret-0123456789abcdef-x"] },
        { name: "pages", providers: [...some("op", "full", "hub"), form], pages: { signIn: "/in", signOut: "/out", error: "/oops", verifyRequest: "/sent", newUser: "/welcome" } },
        { name: "pages-far", basePath: "/deep/er/auth", providers: [...some("op", "hub"), form], pages: { signIn: "/in?lang=en", signOut: "https://other.example/out", error: "/oops?lang=en", verifyRequest: "/sent" }, theme: { colorScheme: "light" } },
        { name: "secure", origin: "https://site.example", providers: [...some("op", "full", "hub", "posted"), form] },
        { name: "insecure", origin: "https://open.example:8443", secureCookies: false, providers: [...some("op", "full"), form], session: { maxAge: 3600 } },
        { name: "prefixed", secureCookies: true, providers: [...some("full"), form], jwtMaxAge: 600 },
        { name: "open", csrf: false, providers: [...some("op", "hub"), form] },
        { name: "cookies", providers: [...some("full", "hub", "posted"), form], session: { maxAge: 7200, updateAge: 60 }, cookies: {
            sessionToken: { name: "sid", options: { sameSite: "strict", path: "/app", domain: "site.example" } },
            csrfToken: { name: "xsrf", options: { httpOnly: false } },
            callbackUrl: { name: "back", options: { secure: true, sameSite: "none", partitioned: true } },
            state: { name: "st", options: { maxAge: 60 } },
            pkceCodeVerifier: { options: { priority: "high" } } } },
        { name: "filters", callbacks: "jq", providers: [...some("op", "full", "hub"), form] },
        { name: "called", callbacks: "uri", providers: [...some("op", "full", "mapped"), form] },
        { name: "preview", providers: [...some("op", "hub"), form], redirectProxyUrl: "https://proxy.example/auth" },
        { name: "proxy", origin: "https://proxy.example", providers: [...some("op", "hub"), form], redirectProxyUrl: "https://proxy.example/auth" },
        { name: "rows", store: "drizzle", strategy: "database", providers: [...some("op", "full", "hub", "mapped"), letters] },
        { name: "rows-jwt", store: "drizzle", strategy: "jwt", callbacks: "jq", providers: [...some("op", "hub"), letters, form] },
        { name: "rows-filters", store: "kysely", strategy: "database", callbacks: "jq", session: { maxAge: 3600, updateAge: 60 }, pages: { newUser: "/welcome?x=1", verifyRequest: "/sent" }, providers: [...some("op"), ...some("hub").map((p) => ({ ...p, linksByEmail: true })), { ...letters, maxAge: 600 }] },
        { name: "rows-called", origin: "https://rows.example", store: "drizzle", strategy: "database", callbacks: "uri", pages: { newUser: "/welcome" }, providers: [...some("op", "hub").map((p) => ({ ...p, linksByEmail: p.id === "op" })), letters] },
        { name: "mail first", shown: true, providers: [mail, ...some("op"), detailed, form, ...some("hub")], theme: { logo: "/logo.png?a=1&b=\"2\"" } },
        { name: "mail last", shown: true, providers: [...some("hub", "full"), mail, { ...mail, id: "post", name: "Post" }], theme: { colorScheme: "dark", brandColor: "#639" } },
        { name: "form alone", shown: true, providers: [detailed], theme: { colorScheme: "light", buttonText: "#123456", logo: "https://img.example/logo.svg" } },
        { name: "one button", shown: true, origin: "https://[2001:db8::1]:8443", basePath: "/a/b", providers: some("full") },
    ];
}

// A store that a page never asks.
const noStore = Object.fromEntries(["createVerificationToken", "useVerificationToken", "getUserByEmail"].map((name) => [name, () => { throw new Error(name); }]));

// worlds: one row per configuration as both sides take it. `record(name, document)` is called as the
// internal locations are.
export function worlds({ at, plain, broken = [], app, record }) {
    return rows(at, plain, broken).map((row, i) => {
        const basePath = row.basePath ?? "/auth";
        const lines = [`location ${basePath}/ { auth_js_handler; }`, `auth_js_secret ${(row.secrets ?? [secret]).join(" ")};`, `auth_js_base_path ${basePath};`];
        if (row.origin) lines.push(`auth_js_url ${row.origin};`);
        if (row.shown) lines.push("auth_js_adapter sqlite {{prefix}}/shown/auth.db; auth_js_session strategy=jwt;");
        if (row.redirectProxyUrl) lines.push(`auth_js_redirect_proxy_url ${row.redirectProxyUrl};`);
        if (row.secureCookies !== undefined) lines.push(`auth_js_secure_cookies ${onOff(row.secureCookies)};`);
        if (row.csrf === false) lines.push("auth_js_csrf off;");
        const twins = row.store && new Twins(row.store, row.name);
        if (twins) lines.push(`auth_js_adapter ${row.store} sqlite:${twins.file("{{prefix}}")};`);
        if (row.session || row.jwtMaxAge || row.store) lines.push(`auth_js_session ${row.store ? `strategy=${row.strategy} cache=off` : ""} ${row.session?.maxAge ? `max_age=${row.session.maxAge}s` : ""} ${row.session?.updateAge ? `update_age=${row.session.updateAge}s` : ""} ${row.jwtMaxAge ? `jwt_max_age=${row.jwtMaxAge}s` : ""};`);
        for (const [n, v] of Object.entries(row.pages ?? {})) lines.push(`auth_js_page ${pageWords[n]} ${quoted(v)};`);
        if (row.theme) lines.push(`auth_js_theme ${Object.entries(row.theme).map(([n, v]) => quoted(`${underscored(n)}=${v}`)).join(" ")};`);
        for (const [n, c] of Object.entries(row.cookies ?? {})) lines.push(`auth_js_cookie ${cookieWords[n]} ${c.name ? `name=${c.name}` : ""} ${Object.entries(c.options ?? {}).map(([o, v]) => `${optionWords[o]}=${onOff(v)}`).join(" ")};`);
        for (const n of row.callbacks ? Object.keys(functions) : []) lines.push(row.callbacks === "jq" ? `auth_js_callback ${underscored(n)} jq file:${n}.jq;` : `auth_js_callback ${underscored(n)} uri /_call/${n};`);
        lines.push(`location /_call/ { internal; proxy_pass http://127.0.0.1:${app.port}/; }`, ...row.providers.map(nginxProvider));
        const recorded = (name, f) => (document) => { record(name, document); return f(document); };
        const config = {
            basePath, secret: row.secrets ?? secret, trustHost: true, providers: row.providers.map((p) => authjsProvider({ ...p, record, calls: recorded("authorize", authorize) })),
            ...(row.pages && { pages: row.pages }), ...((row.session || row.strategy) && { session: { ...row.session, ...(row.strategy && { strategy: row.strategy }) } }), ...(row.cookies && { cookies: row.cookies }),
            ...(row.theme && { theme: row.theme }), ...(row.secureCookies !== undefined && { useSecureCookies: row.secureCookies }),
            ...(row.csrf === false && { skipCSRFCheck }), ...(row.jwtMaxAge && { jwt: { maxAge: row.jwtMaxAge } }),
            ...(row.shown && { adapter: noStore, session: { strategy: "jwt" } }),
            ...(row.redirectProxyUrl && { redirectProxyUrl: row.redirectProxyUrl }),
            ...(row.callbacks && { callbacks: Object.fromEntries(Object.entries(functions).map(([n, f]) => [n, row.callbacks === "uri" ? recorded(n, f) : f])) }),
        };
        const secure = row.secureCookies ?? row.origin?.startsWith("https:") ?? false;
        const names = cookieNames(secure, Object.fromEntries(Object.entries(row.cookies ?? {}).filter(([, c]) => c.name).map(([n, c]) => [n, c.name])));
        return { name: row.name, index: i, basePath, origin: row.origin, secret: row.secrets ?? secret, cookieNames: names, providers: row.providers, callbacks: row.callbacks, pages: row.pages ?? {}, proxied: row.redirectProxyUrl !== undefined, shown: row.shown === true, csrf: row.csrf !== false, strategy: row.strategy, twins, config: () => ({ ...config, ...(twins && { adapter: twins.adapter }) }), server: lines.join("\n        ") };
    });
}
export const files = jqFiles;
