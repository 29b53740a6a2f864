// Many tabs at once, and sign-ins that would go round in circles: whatever is broken, a browser is
// sent to sign in at most twice for one navigation, then it gets a page that names the cause.
import assert from "node:assert";
import http from "node:http";
import { after, before, describe, test } from "node:test";

import { encode } from "@auth/core/jwt";

import { Browser } from "../lib/browser.mjs";
import { startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";

const secret = "an-unguessable-secret-of-more-than-32-bytes";
const other = "another-unguessable-secret-of-over-32-bytes";

let provider;
before(async () => { provider = await startProvider(); });
after(() => provider?.close());

const block = () => `auth_js_provider mock { type oidc; issuer ${provider.issuer}; client_id ${provider.clientId};
    client_secret ${provider.clientSecret}; }`;
async function site(t, { http = "", auth = "", gate = "auth_js_default_provider mock;", server = "", more = "", ...rest } = {}) {
    const nginx = await startNginx({
        http: `auth_js_secret ${secret}; ${block()} ${http}`,
        server: `${server} location /auth/ { ${auth} auth_js_handler; } location /private/ { ${gate} auth_js on; try_files /index.html =404; } ${more}`,
        ...rest,
    });
    t.after(() => nginx.stop());
    return nginx;
}

// forwardAuth: an application behind a proxy that asks auth_js_verify first and hands on whatever is
// no 2xx, as Traefik's forwardAuth does. It stands on another port of the same host, so that cookies
// reach both. `verify`: lines of that location; the rest as for site.
async function forwardAuth(t, { verify = "auth_js_default_provider mock;", http: more = "", ...rest } = {}) {
    const front = http.createServer((rq, rs) => {
        const headers = { ...rq.headers, host: new URL(front.site.origin).host, "x-forwarded-proto": "http", "x-forwarded-host": rq.headers.host, "x-forwarded-uri": rq.url };
        http.get(`${front.site.origin}/verify`, { headers, agent: false }, (answer) => {
            if (answer.statusCode === 200) {
                answer.resume();
                return rs.end("home\n");
            }
            rs.writeHead(answer.statusCode, answer.rawHeaders);
            answer.pipe(rs);
        });
    });
    await new Promise((done) => front.listen(0, "127.0.0.1", done));
    t.after(() => { front.closeAllConnections(); front.close(); });
    const origin = `http://127.0.0.1:${front.address().port}`;
    front.site = await site(t, {
        ...rest, http: `auth_js_allowed_origins ${origin}; ${more}`, server: "auth_js_url http://127.0.0.1:{{port}};",
        more: `location = /verify { auth_js_verify redirect; auth_js_trust_host 127.0.0.1; ${verify} }`,
    });
    return { nginx: front.site, browser: new Browser(front.site.origin), page: `${origin}/private/?a=b` };
}

// navigate: what a browser does with one click: it follows every redirect, says where it comes
// from, and keeps cookies unless it blocks them. TLS ends at a proxy on the same port.
async function navigate(browser, target, { blocked = false, from = "none", referer } = {}) {
    const seen = [];
    let url = new URL(target, browser.origin).href, fetchSite = from, answer;
    for (let hop = 0; hop < 20; ++hop) {
        answer = await browser.get(url, { keepCookies: !blocked && url.startsWith("http://127.0.0.1"), crossSite: fetchSite === "cross-site",
            headers: { "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": fetchSite, ...(referer && { referer }) } });
        seen.push(`${answer.status} ${url}`);
        if (answer.status !== 302) return { answer, seen, sent: seen.filter((s) => /\/auth\/signin/.test(s)).length };
        if (new URL(answer.location).origin !== new URL(url).origin) fetchSite = "cross-site";
        url = answer.location.replace(/^https:(?=\/\/127\.0\.0\.1)/, "http:");
    }
    assert.fail(`it never ends:\n${seen.join("\n")}`);
}

// stopped: the page that ends a circle, and the one line of the log that belongs to it.
async function stopped(nginx, { answer, seen, sent }, { words, directive, status = 403 }) {
    const all = seen.join("\n");
    assert.ok(sent <= 2, `${sent} redirects to sign-in:\n${all}`);
    assert.strictEqual(answer.status, status, `${all}\n${answer.body}`);
    assert.match(answer.headers["content-type"], /text\/html/);
    assert.match(answer.headers["content-security-policy"], /default-src 'none'/);
    assert.match(answer.headers["cache-control"], /no-store/);
    const body = answer.body.replace(/<style>.*?<\/style>/, "");
    assert.match(body, words);
    const reference = /Reference: ([0-9a-f]{32})/.exec(body)?.[1];
    assert.ok(reference, body);
    const lines = nginx.log.split("\n").filter((line) => line.includes(reference));
    assert.strictEqual(lines.filter((line) => /\[error\]/.test(line) || /\[info\]/.test(line)).length, 1, lines.join("\n"));
    assert.match(lines[0], directive);
    assert.ok(!lines[0].includes("request:"), lines[0]);
}

describe("parallel tabs", () => {
    test("twenty sign-ins at once: the newest finishes, the others land where they wanted or are told what to do [sec 43] [sec 44]", async (t) => {
        const nginx = await site(t, { gate: "" });
        for (const newestFirst of [false, true]) {
            const browser = new Browser(nginx.origin);
            await browser.csrf();
            const tabs = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
                const want = `${nginx.origin}/private/${i}`;
                const gate = await browser.get(want, { headers: { "Sec-Fetch-Site": "none" } });
                assert.strictEqual(new URL(gate.location).searchParams.get("callbackUrl"), want);
                assert.strictEqual((await browser.get(gate.location)).status, 200);
                const start = await browser.start("mock", { callbackUrl: want });
                return { want, back: await browser.consent(start.location), at: performance.now() };
            }));
            const sent = [...browser.jar.of(new URL(nginx.origin))].map((c) => `${c.name}=${c.value}`).join("; ");
            assert.ok(sent.length < 4096, `the Cookie line has ${sent.length} bytes`);
            if (newestFirst) tabs.sort((a, b) => b.at - a.at);
            let finished = 0;
            for (const tab of tabs) {
                const { answer } = await navigate(browser, tab.back.url, { from: "cross-site" });
                if (answer.body === "home\n") {
                    finished++;
                    continue;
                }
                assert.match(answer.body, /please start again/);
                assert.match(answer.body, /Start again/);
            }
            assert.ok(finished >= 1, "nobody finished");
            assert.ok((await browser.session()).user, "the browser is signed in");
            // Whoever comes back now is sent where one of the tabs wanted to go: all share one
            // callback-url cookie, and the state carries nothing that Auth.js's does not.
            const wants = new Set(tabs.map((tab) => tab.want));
            for (const tab of tabs.slice(-5)) {
                const { location } = await browser.back(tab.back);
                assert.ok(wants.has(location), location);
            }
            assert.deepStrictEqual(browser.jar.names().filter((n) => /state|pkce|nonce/.test(n)), [], "nothing is left behind");
        }
    });

    test("a hundred tabs keep the Cookie line under 4 KiB [sec 43]", async (t) => {
        const nginx = await site(t);
        const browser = new Browser(nginx.origin);
        for (let i = 0; i < 100; ++i) {
            const answer = await browser.get(`/private/${i}?${"q".repeat(200)}`);
            assert.strictEqual(answer.status, 302);
            assert.strictEqual((await browser.get(answer.location)).status, 302);
            const line = browser.jar.of(new URL(nginx.origin)).map((c) => `${c.name}=${c.value}`).join("; ");
            assert.ok(line.length < 4096, `${line.length} bytes after ${i} tabs`);
        }
    });

    test("a state that is too old, while somebody is signed in, leads to the target [sec 44]", async (t) => {
        const nginx = await site(t);
        const browser = new Browser(nginx.origin);
        await browser.signIn("mock", { callbackUrl: `${nginx.origin}/private/now` });
        const late = await browser.get("/auth/callback/mock?code=old&state=old", { crossSite: true });
        assert.deepStrictEqual([late.status, late.location], [302, `${nginx.origin}/private/now`]);
        const stranger = await new Browser(nginx.origin).get("/auth/callback/mock?code=old&state=old", { crossSite: true });
        assert.match(stranger.location, /\/auth\/error\?error=Configuration&reason=/);
    });
});

describe("no circle where none is", () => {
    test("a healthy site: one redirect to sign-in, and there", async (t) => {
        const nginx = await site(t);
        const browser = new Browser(nginx.origin);
        const { answer, sent } = await navigate(browser, "/private/");
        assert.deepStrictEqual([answer.status, answer.body, sent], [200, "home\n", 1]);
        // Out again, and in again.
        await browser.signOut();
        assert.strictEqual(browser.jar.get("authjs.gate"), undefined);
        assert.strictEqual((await navigate(browser, "/private/")).answer.body, "home\n");
    });

    test("who goes back and clicks again is sent again; so is who opens many pages", async (t) => {
        const nginx = await site(t, { gate: "" });
        const browser = new Browser(nginx.origin);
        for (const from of ["none", "same-origin"]) assert.strictEqual((await navigate(browser, "/private/", { from })).answer.status, 200);
        for (let i = 0; i < 10; ++i) assert.strictEqual((await navigate(browser, `/private/${i}`, { from: "cross-site" })).answer.status, 200);
    });

    test("what is no navigation gets 401 and no mark", async (t) => {
        const nginx = await site(t);
        for (let i = 0; i < 5; ++i) {
            const answer = await new Browser(nginx.origin).get("/private/", { headers: { accept: "*/*" } });
            assert.deepStrictEqual([answer.status, answer.cookies], [401, []]);
        }
    });

    test("a forged mark shows its forger a page and nobody else", async (t) => {
        const nginx = await site(t);
        for (const mark of ["s.", "s", "9.xxxxxxxx", "%01", "s.%00%00%00%00%00%00%00%00", "x".repeat(3000)]) {
            const answer = await new Browser(nginx.origin).get("/private/", { headers: { cookie: `authjs.gate=${mark}` } });
            assert.ok([302, 400].includes(answer.status), mark);
        }
    });
});

describe("what is broken is named", () => {
    test("cookies blocked", async (t) => {
        const nginx = await site(t);
        await stopped(nginx, await navigate(new Browser(nginx.origin), "/private/", { blocked: true }),
            { words: /did not send our cookies back/, directive: /auth_js_secure_cookies/, status: 500 });
    });

    test("cookies blocked, and a form that needs none", async (t) => {
        const nginx = await site(t, { gate: "", auth: "auth_js_csrf origin;" });
        await stopped(nginx, await navigate(new Browser(nginx.origin), "/private/", { blocked: true, from: "same-origin", referer: `${nginx.origin}/auth/signin?callbackUrl=x` }),
            { words: /did not send our cookies back/, directive: /auth_js_secure_cookies/ });
    });

    for (const [what, line] of [["domain", "domain=elsewhere.example"], ["path", "path=/auth"]])
        test(`wrong ${what} of the session cookie`, async (t) => {
            const nginx = await site(t, { auth: `auth_js_cookie session_token ${line};` });
            const browser = new Browser(nginx.origin);
            await stopped(nginx, await navigate(browser, "/private/"), { words: /did not bring your session back/, directive: /auth_js_cookie session_token/ });
            // The next click is a new navigation, with its own two rounds.
            await stopped(nginx, await navigate(browser, "/private/"), { words: /did not bring your session back/, directive: /auth_js_cookie session_token/ });
        });

    test("a session too large for nginx's buffers", async (t) => {
        const nginx = await site(t, { http: `auth_js_callback jwt jq '.token + {pad: ("x" * 20000)}';` });
        await stopped(nginx, await navigate(new Browser(nginx.origin), "/private/"),
            { words: /too large cookies/, directive: /large_client_header_buffers/, status: 500 });
    });

    test("another secret where the site protects than where it signs in", async (t) => {
        const nginx = await site(t, { gate: `auth_js_secret ${other};` });
        const browser = new Browser(nginx.origin);
        assert.strictEqual((await navigate(browser, "/private/")).answer.status, 200);  // the chooser
        const { callback } = await browser.signIn("mock", { callbackUrl: `${nginx.origin}/private/` });
        await stopped(nginx, await navigate(browser, callback.location, { from: "cross-site" }), { words: /a key that this page does not have/, directive: /auth_js_secret/ });
        // Where the provider is chosen already, the link itself does not open.
        const direct = await site(t, { gate: `auth_js_secret ${other}; auth_js_default_provider mock;` });
        await stopped(direct, await navigate(new Browser(direct.origin), "/private/"), { words: /Server error/, directive: /auth_js_secret/, status: 500 });
    });

    test("a clock that is off", async (t) => {
        const nginx = await site(t, { gate: "" });
        const browser = new Browser(nginx.origin);
        await navigate(browser, "/private/");
        await browser.signIn("mock", { callbackUrl: `${nginx.origin}/private/` });
        // What a host whose clock is an hour behind would have made of it.
        const past = await encode({ secret, salt: "authjs.session-token", token: { name: "Ada" }, maxAge: -3600 });
        browser.jar.set(new URL(nginx.origin), `authjs.session-token=${past}; Path=/`);
        await stopped(nginx, await navigate(browser, "/private/", { from: "cross-site" }), { words: /a clock is wrong/, directive: /clocks of this host/ });
    });

    test("no agreement about https", async (t) => {
        const nginx = await site(t, { auth: "auth_js_secure_cookies on;" });
        await stopped(nginx, await navigate(new Browser(nginx.origin), "/private/"), { words: /http and came back over https/, directive: /auth_js_url, auth_js_trust_host/ });
    });

    for (const [what, options] of [
        ["where the site signs in", { auth: "auth_js_trust_host on;" }],
        ["where it protects", { gate: "auth_js_trust_host on; auth_js_default_provider mock;" }],
    ])
        test(`a proxy that ends TLS, believed only ${what}`, async (t) => {
            const nginx = await site(t, options);
            const browser = new Browser(nginx.origin, { headers: { "x-forwarded-proto": "https" } });
            // Its own URL is of another origin for the one of the two: sign-in ends at the root.
            const { answer, sent } = await navigate(browser, "/private/");
            assert.deepStrictEqual([answer.status, answer.body, sent], [200, "home\n", 1]);
            await stopped(nginx, await navigate(browser, "/private/"), { words: /http and came back over https/, directive: /auth_js_trust_host \(for X-Forwarded-Proto\)/ });
        });

    test("two stores", async (t) => {
        const nginx = await site(t, { http: "auth_js_adapter sqlite {{prefix}}/store/one.db;", gate: "auth_js_default_provider mock; auth_js_adapter sqlite {{prefix}}/store/two.db;" });
        await stopped(nginx, await navigate(new Browser(nginx.origin), "/private/"), { words: /not where this page looks for it/, directive: /auth_js_adapter/ });
    });

    test("sign-in on another host whose cookie never comes here", async (t) => {
        const nginx = await site(t, { gate: "auth_js_page sign_in http://localhost:{{port}}/auth/signin;", http: "auth_js_allowed_origins http://127.0.0.1:{{port}};" });
        const browser = new Browser(nginx.origin);
        const first = await browser.get("/private/", { headers: { "Sec-Fetch-Site": "none" } });
        assert.match(first.location, /^http:\/\/localhost:/);
        await stopped(nginx, await navigate(browser, "/private/", { from: "cross-site" }), { words: /did not bring your session back/, directive: /domain=/ });
    });

    test("satisfy any and a page of the operator's get the cause in the address", async (t) => {
        const nginx = await site(t, { gate: "satisfy any; deny all; auth_js_default_provider mock;", auth: "auth_js_cookie session_token path=/auth;" });
        const any = await navigate(new Browser(nginx.origin), "/private/");
        assert.ok(any.sent <= 2, any.seen.join("\n"));
        assert.match(any.seen.at(-1), /^403 .*\/auth\/error\?error=SignInCircle&reason=session_missing&ref=/);
        const own = await site(t, { http: "auth_js_page error /oops;", auth: "auth_js_cookie session_token path=/auth;", more: "location = /oops { return 200 'oops'; }" });
        const page = await navigate(new Browser(own.origin), "/private/");
        assert.ok(page.sent <= 2);
        assert.match(page.seen.at(-1), /^200 .*\/oops\?error=SignInCircle&reason=session_missing&ref=/);
    });
});

describe("the same behind auth_js_verify redirect", () => {
    test("a healthy site: one redirect to sign-in, and there; a program gets no mark", async (t) => {
        const { browser, page } = await forwardAuth(t);
        const { answer, sent } = await navigate(browser, page);
        assert.deepStrictEqual([answer.status, answer.body, sent], [200, "home\n", 1]);
        const program = await new Browser(browser.origin).get(page, { headers: { accept: "*/*" } });
        assert.deepStrictEqual([program.status, program.cookies], [302, []]);
    });

    for (const [what, options, expected] of [
        ["cookies blocked", {}, { words: /did not send our cookies back/, directive: /auth_js_secure_cookies/, status: 500, blocked: true }],
        ["wrong domain of the session cookie", { auth: "auth_js_cookie session_token domain=elsewhere.example;" }, { words: /did not bring your session back/, directive: /auth_js_cookie session_token/ }],
        ["a session too large", { http: `auth_js_callback jwt jq '.token + {pad: ("x" * 20000)}';` }, { words: /too large cookies/, directive: /large_client_header_buffers/, status: 500 }],
        ["no agreement about https", { auth: "auth_js_secure_cookies on;" }, { words: /http and came back over https/, directive: /auth_js_url, auth_js_trust_host/ }],
        ["another secret, where the provider is chosen already", { verify: `auth_js_secret ${other}; auth_js_default_provider mock;` }, { words: /Server error/, directive: /auth_js_secret/, status: 500 }],
    ])
        test(what, async (t) => {
            const { nginx, browser, page } = await forwardAuth(t, options);
            await stopped(nginx, await navigate(browser, page, expected), expected);
        });

    test("another secret, and a clock that is off, with the chooser in between", async (t) => {
        for (const [verify, spoil, expected] of [
            [`auth_js_secret ${other};`, () => {}, { words: /a key that this page does not have/, directive: /auth_js_secret/ }],
            ["", async (browser) => {
                const past = await encode({ secret, salt: "authjs.session-token", token: { name: "Ada" }, maxAge: -3600 });
                browser.jar.set(new URL(browser.origin), `authjs.session-token=${past}; Path=/`);
            }, { words: /a clock is wrong/, directive: /clocks of this host/ }],
        ]) {
            const { nginx, browser, page } = await forwardAuth(t, { verify });
            assert.strictEqual((await navigate(browser, page)).answer.status, 200);  // the chooser
            const { callback } = await browser.signIn("mock", { callbackUrl: page });
            assert.strictEqual(callback.location, page);
            await spoil(browser);
            await stopped(nginx, await navigate(browser, page, { from: "cross-site" }), expected);
        }
    });

    test("a page of the operator's gets the cause in the address", async (t) => {
        const { browser, page } = await forwardAuth(t, { http: "auth_js_page error http://127.0.0.1:{{port}}/oops;", auth: "auth_js_cookie session_token path=/auth;" });
        const { sent, seen } = await navigate(browser, page);
        assert.ok(sent <= 2, seen.join("\n"));
        assert.match(seen.at(-1), /\/oops\?error=SignInCircle&reason=session_missing&ref=/);
    });
});
