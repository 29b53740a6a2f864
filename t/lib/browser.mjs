// A browser without a screen: HTTP/1.1 through node:http, a cookie jar that keeps to RFC 6265bis as
// far as sign-ins depend on it, and no redirect followed by itself.
import assert from "node:assert";
import http from "node:http";
import https from "node:https";

import { found, plant } from "./canaries.mjs";

// --- Cookies -------------------------------------------------------------------------------------

export class Jar {
    cookies = new Map();           // "host path name" -> cookie

    set(url, line) {
        const [pair, ...rest] = line.split(";").map((s) => s.trim());
        const at = pair.indexOf("=");
        const attributes = Object.fromEntries(rest.map((a) => [a.split("=")[0].toLowerCase(), a.includes("=") ? a.slice(a.indexOf("=") + 1) : true]));
        const cookie = {
            name: pair.slice(0, at), value: pair.slice(at + 1), host: url.hostname, path: attributes.path ?? "/", attributes,
            expires: attributes["max-age"] !== undefined ? Date.now() + 1000 * attributes["max-age"] : attributes.expires ? Date.parse(attributes.expires) : Infinity,
        };
        const { name } = cookie;
        if (name.startsWith("__Host-") && (!attributes.secure || attributes.path !== "/" || attributes.domain)) return;
        if (name.startsWith("__Secure-") && !attributes.secure) return;
        if (attributes.secure && !trustworthy(url)) return;
        const domain = String(attributes.domain ?? "").replace(/^\./, "");
        if (domain && url.hostname !== domain && !url.hostname.endsWith(`.${domain}`)) return;
        const key = `${cookie.host} ${cookie.path} ${name}`;
        if (cookie.expires <= Date.now()) this.cookies.delete(key);
        else this.cookies.set(key, cookie);
    }
    // of: what goes with a request. `crossSite`: the request comes from a page of another site.
    of(url, { crossSite = false, method = "GET" } = {}) {
        return [...this.cookies.values()].filter((c) => {
            const sameSite = String(c.attributes.samesite ?? "lax").toLowerCase();
            return c.host === url.hostname && c.expires > Date.now() && (!c.attributes.secure || trustworthy(url)) &&
                (url.pathname === c.path || url.pathname.startsWith(c.path.endsWith("/") ? c.path : `${c.path}/`)) &&
                (!crossSite || sameSite === "none" || (sameSite === "lax" && method === "GET"));
        }).sort((a, b) => b.path.length - a.path.length);
    }
    get(name) {
        return [...this.cookies.values()].find((c) => c.name === name)?.value;
    }
    names() {
        return [...this.cookies.values()].map((c) => c.name);
    }
    delete(pattern) {
        for (const [key, c] of this.cookies) if (pattern.test(c.name)) this.cookies.delete(key);
    }
}
const trustworthy = (url) => url.protocol === "https:" || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);

function plantCookies(lines) {
    for (const line of lines) {
        const [, name, value] = /^([^=]*)=([^;]*)/.exec(line) ?? [];
        if (/session-token|csrf-token|pkce|state|nonce/.test(name)) plant(value, decodeURIComponent(value));
    }
}

// --- Requests ------------------------------------------------------------------------------------

export class Browser {
    constructor(origin, { basePath = "/auth", jar = new Jar(), headers = {}, tls = {}, timeout = 30_000 } = {}) {
        Object.assign(this, { origin, basePath, jar, headers, tls, timeout });
    }

    // request answers { status, headers, body, cookies (Set-Cookie lines), location, json() }.
    // `form`: a URL-encoded body; `crossSite`; `signal`: to go away in the middle.
    request(method, target, { form, body, headers = {}, crossSite = false, signal, keepCookies = true } = {}) {
        const url = new URL(target, this.origin);
        const own = url.origin === new URL(this.origin).origin;
        const text = body ?? (form === undefined ? undefined : new URLSearchParams(form).toString());
        const cookies = this.jar.of(url, { crossSite, method }).map((c) => `${c.name}=${c.value}`).join("; ");
        const fields = {
            accept: "text/html,application/xhtml+xml,*/*;q=0.8",
            ...(cookies && { cookie: cookies }),
            ...(text !== undefined && { "content-length": Buffer.byteLength(text) }),
            ...(form !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
            ...(own && this.headers), ...headers,
        };
        return new Promise((done, failed) => {
            const rq = (url.protocol === "https:" ? https : http).request(url, { method, headers: fields, agent: false, signal, timeout: this.timeout, ...this.tls }, (rs) => {
                const chunks = [];
                rs.on("data", (c) => chunks.push(c)).on("error", failed).on("end", () => {
                    const lines = rs.headers["set-cookie"] ?? [];
                    plantCookies(lines);
                    if (keepCookies) for (const line of lines) this.jar.set(url, line);
                    const bytes = Buffer.concat(chunks);
                    if (own && (rs.statusCode >= 400 || url.pathname.endsWith("/error")) && found(bytes.toString()))
                        return failed(new Error(`an error page tells a secret: ${url.href}: ${bytes}`));
                    done({
                        url: url.href, status: rs.statusCode, headers: rs.headers, cookies: lines, body: bytes.toString(),
                        location: rs.headers.location && new URL(rs.headers.location, url).href,
                        json: () => JSON.parse(bytes.toString()),
                    });
                });
            });
            rq.on("timeout", () => rq.destroy(new Error(`no answer from ${url.pathname} in time`))).on("error", failed);
            rq.end(text);
        });
    }
    get(target, options) { return this.request("GET", target, options); }
    post(target, form = {}, options = {}) { return this.request("POST", target, { form, ...options }); }

    // --- Auth.js ---

    route(action) { return `${this.origin}${this.basePath}/${action}`; }
    async csrf() { return (await this.get(this.route("csrf"))).json().csrfToken; }
    async session() { return (await this.get(this.route("session"))).json(); }

    // start: from the button on the sign-in page to the redirect that leads to the provider.
    async start(provider, { callbackUrl = `${this.origin}/`, query = "", form = {} } = {}) {
        const csrfToken = await this.csrf();
        return this.post(this.route(`signin/${provider}`) + query, { csrfToken, callbackUrl, ...form });
    }
    // consent: what the provider makes of the authorization URL: the callback's method, URL, fields.
    async consent(location) {
        const page = await this.get(location, { keepCookies: false });
        if (page.status === 302) return { method: "GET", url: page.location };
        const unescape = (s) => s.replace(/&#(\d+);/g, (_, n) => String.fromCharCode(n));
        const action = /<form method="post" action="([^"]*)"/.exec(page.body);
        assert.ok(action, `the provider answered ${page.status}: ${page.body.slice(0, 200)}`);
        const form = [...page.body.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map((m) => [unescape(m[1]), unescape(m[2])]);
        return { method: "POST", url: unescape(action[1]), form };
    }
    // back: the callback, as the provider's page makes the browser send it.
    back({ method, url, form }, options = {}) {
        return this.request(method, url, { ...(form && { form }), crossSite: true, ...options });
    }
    // signIn: all of it; answers { start, consent, callback }.
    async signIn(provider, options = {}) {
        const start = await this.start(provider, options);
        assert.strictEqual(start.status, 302, `signin/${provider}: ${start.status} ${start.body.slice(0, 200)}`);
        const consent = await this.consent(start.location);
        return { start, consent, callback: await this.back(consent) };
    }
    async signOut(form = {}) {
        return this.post(this.route("signout"), { csrfToken: await this.csrf(), ...form });
    }
}
