// Where a flow may send a browser afterwards: only to the site itself. Every way to ask for another
// place is tried: in the query, in the body and as the cookie [sec 36] [sec 37] [sec 38] [sec 39] [sec 40].
import assert from "node:assert";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Browser } from "../lib/browser.mjs";
import { startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";

const outside = process.env.AUTHJS_OUTSIDE ?? fileURLToPath(new URL("../../../shared/vectors/outside", import.meta.url));
const file = path.join(outside, "openredirects.txt");
const own = [
    "//evil", "/\\evil", "\\/evil", "\\\\evil", "/%09/evil", "/\t/evil", "/%5cevil", "https:evil", "http:/\\evil", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x", " https://evil", "\u0000https://evil", "/%0d%0aSet-Cookie:x=1", "/\r\nSet-Cookie: x=1",
    "https://good@evil", "https://good.evil", "https://evil/#good", "https://good:443@evil", "https://ｅｖｉｌ。com", "https://evil。com", "https://[::1]", "http://2130706433/", "http://0x7f.1/",
    "..//evil", ".//evil", "///evil", "////evil", "/;@evil", "?//evil", "#//evil", "//evil%2f..", "/a".repeat(4096), `https://evil/${"a".repeat(8192)}`, "http://", "https://", "//", "http:///evil", "", "/",
];

let provider, nginx;
before(async () => {
    provider = await startProvider();
    nginx = await startNginx({
        http: `auth_js_secret an-unguessable-secret-of-more-than-32-bytes; large_client_header_buffers 8 32k; client_header_buffer_size 16k;
            auth_js_provider mock { type oidc; issuer ${provider.issuer}; client_id ${provider.clientId}; client_secret ${provider.clientSecret}; }
            auth_js_provider credentials { field username; authorize uri /yes; }`,
        server: `location /auth/ { auth_js_handler; } location = /yes { internal; default_type application/json; return 200 '{"id":"1","name":"Ada"}'; }`,
    });
});
after(async () => {
    await nginx?.stop();
    await provider?.close();
});

// stays: the answer sends nobody away. A browser resolves Location against the page; what it would
// call another origin is one, whatever the text looks like.
function stays(answer, what) {
    assert.ok([200, 302, 400, 500].includes(answer.status), `${what}: ${answer.status}`);
    if (answer.status === 302) {
        const raw = answer.headers.location;
        assert.ok(!/[\u0000-\u001f\u007f-\uffff]/.test(raw), `${what}: ${raw}`);
        const url = new URL(raw, nginx.origin);
        assert.strictEqual(url.origin, nginx.origin, `${what} leads to ${raw}`);
        assert.ok(!/^\/[\\/]/.test(raw) && !/^[\\]/.test(raw), `${what} leads to ${raw}`);
    }
    assert.ok(!answer.cookies.some((c) => /^x=/.test(c)), `${what} set a cookie`);
    for (const line of answer.cookies) {
        const kept = /callback-url=([^;]+)/.exec(line)?.[1];
        if (kept) assert.strictEqual(new URL(decodeURIComponent(kept), nginx.origin).origin, nginx.origin, `${what} is kept as ${kept}`);
    }
}

async function tryAll(urls) {
    const browser = new Browser(nginx.origin);
    const csrfToken = await browser.csrf();
    const csrf = `authjs.csrf-token=${browser.jar.of(new URL(nginx.origin)).find((c) => c.name === "authjs.csrf-token").value}`;
    const ask = (method, target, form, cookie = csrf) =>
        new Browser(nginx.origin).request(method, target, { form, headers: { cookie } });
    for (const url of urls) {
        const query = `?callbackUrl=${encodeURIComponent(url)}`;
        const name = JSON.stringify(url.slice(0, 60));
        const cookie = `${csrf}; authjs.callback-url=${encodeURIComponent(url)}`;
        const form = { csrfToken, username: "ada" };
        // The end of a sign-in and of a sign-out, the page in front of them, and the error route.
        stays(await ask("POST", `/auth/callback/credentials${query}`, form), `query ${name}`);
        stays(await ask("POST", "/auth/callback/credentials", { ...form, callbackUrl: url }), `body ${name}`);
        stays(await ask("POST", "/auth/callback/credentials", form, cookie), `cookie ${name}`);
        stays(await ask("POST", `/auth/signout${query}`, { csrfToken }), `sign-out, query ${name}`);
        stays(await ask("POST", "/auth/signout", { csrfToken, callbackUrl: url }), `sign-out, body ${name}`);
        stays(await ask("POST", "/auth/signout", { csrfToken }, cookie), `sign-out, cookie ${name}`);
        stays(await ask("GET", `/auth/signin${query}`), `page ${name}`);
        stays(await ask("GET", `/auth/signin/credentials${query}`), `chooser ${name}`);
    }
}

test("the ways that are known to us [sec 36]", () => tryAll(own));

const present = fs.existsSync(file);
test("every way that others have collected [sec 36] [sec 37]", { skip: present ? false : `${file} is not there` }, async () => {
    const urls = fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
    assert.ok(urls.length > 500, `${urls.length} lines`);
    await tryAll(urls);
});

test("a whole sign-in at a provider ends on the site, wherever a tossed cookie points [sec 37]", async () => {
    for (const url of ["https://evil.example/", "//evil.example", "/\\evil.example", `${nginx.origin}.evil.example/`, `${nginx.origin}@evil.example/`]) {
        const browser = new Browser(nginx.origin);
        const start = await browser.start("mock");
        const consent = await browser.consent(start.location);
        browser.jar.set(new URL(nginx.origin), `authjs.callback-url=${encodeURIComponent(url)}; Path=/`);
        const answer = await browser.back(consent);
        stays(answer, url);
    }
});

test("other words for a target are no targets: iss, target_link_uri, redirect [sec 38]", async () => {
    for (const name of ["iss", "target_link_uri", "redirect", "redirectTo", "post_logout_redirect_uri", "url", "next"]) {
        const browser = new Browser(nginx.origin);
        const query = `?${name}=https%3A%2F%2Fevil.example%2F`;
        const out = await browser.post(`${browser.route("signout")}${query}`, { csrfToken: await browser.csrf(), [name]: "https://evil.example/" });
        stays(out, name);
        stays(await browser.get(`/auth/signin${query}`), name);
        stays(await browser.get(`/auth/error${query}`), name);
    }
});

test("a target too long for a header or a cookie is none [sec 39]", async () => {
    for (const length of [3000, 5000, 9000, 30_000]) {
        const browser = new Browser(nginx.origin);
        const long = `${nginx.origin}/${"a".repeat(length)}`;
        const answer = await browser.post(browser.route("callback/credentials"), { csrfToken: await browser.csrf(), username: "ada", callbackUrl: long });
        assert.strictEqual(answer.status, 302);
        assert.ok([long, nginx.origin].includes(answer.headers.location), "whole, or not at all");
        stays(answer, `${length} bytes`);
    }
});

test("our own sign-in, callback and sign-out are no targets [sec 40]", async () => {
    for (const inner of ["/auth/signin", "/auth/signin?callbackUrl=%2Fauth%2Fsignin", "/auth/signout", "/auth/callback/mock?code=1", `/auth/signin?callbackUrl=${encodeURIComponent("/auth/signin?callbackUrl=%2Fhome")}`]) {
        const browser = new Browser(nginx.origin);
        const answer = await browser.post(browser.route("callback/credentials"), { csrfToken: await browser.csrf(), username: "ada", callbackUrl: nginx.origin + inner });
        stays(answer, inner);
        assert.ok(!/\/auth\/(signin|callback|signout)/.test(answer.location), `${inner} leads to ${answer.location}`);
    }
});
