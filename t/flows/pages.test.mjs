// The built-in pages as a browser has them: accessible (axe-core), small, alone, without script, in
// light and dark, on a phone and on a desk. With SCREENSHOTS=<folder> it leaves pictures there.
import assert from "node:assert";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { chromium } from "playwright-core";

import { Browser } from "../lib/browser.mjs";
import { startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const pictures = process.env.SCREENSHOTS;
const secret = "an-unguessable-secret-of-more-than-32-bytes";
const logo = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 48" width="150" height="48"><circle cx="24" cy="24" r="22" fill="#7c3aed"/><path d="M60 14h80v6H60zm0 14h54v6H60z" fill="#7c3aed"/></svg>';

let nginx, provider, browser;
before(async () => {
    provider = await startProvider();
    const block = (id) => `auth_js_provider ${id} { client_id a; client_secret b; }`;
    nginx = await startNginx({
        ports: 2,
        files: { "html/logo.svg": logo, "html/private/index.html": "private\n", users: "ada:{SHA}x\n" },
        http: `types { text/html html; image/svg+xml svg; }
            auth_js_secret ${secret}; auth_js_adapter sqlite {{prefix}}/store/auth.db; auth_js_session strategy=jwt;
            ${["github", "google", "discord", "gitlab"].map(block).join("\n")}
            auth_js_provider mock { type oidc; name "Mock & Sons"; issuer ${provider.issuer}; client_id ${provider.clientId}; client_secret ${provider.clientSecret}; }
            auth_js_provider mail { type email; name Email; server smtp://127.0.0.1:1; from a@example.com; }
            auth_js_provider credentials { name Password; field username label=Username autocomplete=username;
                field password label=Password type=password autocomplete=current-password; authorize htpasswd:{{prefix}}/users; }
            auth_js_provider credentials as broken { name "Another way"; field name; authorize htpasswd:{{prefix}}/nobody; }
            server { listen 127.0.0.1:{{port2}}; server_name 127.0.0.1; root html; auth_js_theme logo=/logo.svg brand_color=#7c3aed button_text=#ffffff;
                location /auth/ { auth_js_handler; } location /private/ { auth_js on; } location = /favicon.ico { return 204; } }`,
        server: "location /auth/ { auth_js_handler; } location /private/ { auth_js on; } location = /favicon.ico { return 204; }",
    });
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--headless", "--no-sandbox",
        "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
});
after(async () => {
    await browser?.close();
    await nginx?.stop();
    await provider?.close();
});

const reference = "0123456789abcdef0123456789abcdef";
const all = {
    signin: "signin", "signin-wrong": "signin?error=CredentialsSignin&code=credentials", "signin-lost": "signin?error=MissingCSRF&reason=cookies_blocked",
    "signin-email": "signin?error=EmailSignin&email=ada%40example.com", "signin-linked": "signin?error=OAuthAccountNotLinked", signout: "signout",
    verify: "verify-request?provider=mail&type=email", error: "error", denied: "error?error=AccessDenied", link: "error?error=Verification",
    server: `error?error=Configuration&ref=${reference}`, again: `error?error=Configuration&reason=lost_signin&ref=${reference}`,
    circle: `error?error=SignInCircle&reason=session_missing&ref=${reference}`,
};

for (const scheme of ["light", "dark"]) for (const width of [360, 1280]) for (const themed of [false, true])
    test(`${scheme}, ${width} px${themed ? ", with the site's own logo and colour" : ""}`, async (t) => {
        const site = `http://127.0.0.1:${nginx.ports[themed ? 1 : 0]}`;
        const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 740 }, reducedMotion: "reduce", bypassCSP: true });
        t.after(() => context.close());
        const page = await context.newPage();
        const wrong = [];
        page.on("console", (m) => { if (["error", "warning"].includes(m.type()) && !/status of (403|500|503)/.test(m.text())) wrong.push(m.text()); });
        page.on("request", (r) => { if (new URL(r.url()).origin !== site) wrong.push(`foreign request: ${r.url()}`); });
        for (const [name, target] of Object.entries(all)) {
            await page.goto(`${site}/auth/${target}`);
            if (pictures) {
                fs.mkdirSync(pictures, { recursive: true });
                await page.screenshot({ path: path.join(pictures, `${name}-${scheme}-${width}${themed ? "-themed" : ""}.png`), fullPage: true });
            }
            const shape = await page.evaluate(() => {
                const card = document.querySelector(".card").getBoundingClientRect(), wide = document.documentElement;
                return {
                    sideways: wide.scrollWidth - wide.clientWidth, left: card.left, right: wide.clientWidth - card.right,
                    small: [...document.querySelectorAll("button, .button, input:not([type=hidden])")].filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML),
                    edges: new Set([...document.querySelectorAll(".provider button, .provider input:not([type=hidden])")].map((e) => e.getBoundingClientRect().left)).size,
                };
            });
            assert.ok(shape.sideways <= 0, `${name} scrolls sideways`);
            assert.ok(Math.abs(shape.left - shape.right) <= 1, `${name}: the card is not in the middle: ${shape.left} and ${shape.right}`);
            assert.deepStrictEqual(shape.small, [], `${name}: too small to touch`);
            assert.ok(shape.edges <= 1, `${name}: fields and buttons stand in ${shape.edges} columns`);
            await page.addScriptTag({ path: axe });
            const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
            assert.deepStrictEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`), [], name);
        }
        assert.deepStrictEqual(wrong, []);
    });

test("whoever uses the keyboard sees where they are", async (t) => {
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${nginx.origin}/auth/signin`);
    await page.evaluate(() => document.activeElement?.blur());
    const stops = await page.locator("button, input:not([type=hidden])").count();
    const seen = [];
    for (let i = 0; i < stops; ++i) {
        await page.keyboard.press("Tab");
        seen.push(await page.evaluate(() => { const e = document.activeElement; return [e.tagName, parseFloat(getComputedStyle(e).outlineWidth) >= 2 && getComputedStyle(e).outlineStyle !== "none"]; }));
    }
    assert.ok(seen.every(([tag, visible]) => tag === "BODY" || (["BUTTON", "INPUT"].includes(tag) && visible)), JSON.stringify(seen));
});

describe("what goes over the wire", () => {
    for (const [name, target] of Object.entries(all))
        test(name, async () => {
            const { headers, body } = await new Browser(nginx.origin).get(`/auth/${target}`);
            assert.ok(body.length < 20_000, `${body.length} bytes`);
            assert.ok(!/<script|javascript:|\son[a-z]+=|\sstyle=/i.test(body.replace(/<style>.*?<\/style>/s, "")), "no script, no inline style or handler");
            const policy = headers["content-security-policy"];
            assert.ok(!/unsafe|\*|data:/.test(policy), policy);
            for (const rule of [/default-src 'none'/, /style-src 'sha256-[\w+/]+='/, /base-uri 'none'/, /frame-ancestors 'none'/]) assert.match(policy, rule);
            assert.deepStrictEqual([headers["x-content-type-options"], headers["x-frame-options"]], ["nosniff", "DENY"]);
            assert.match(headers["cache-control"], /no-store/);
            assert.match(body, /^<!DOCTYPE html><html lang="en">/);
            for (const [, url] of body.matchAll(/(?:src|href|action)="(https?:[^"]*)"/g)) assert.ok(url.startsWith(nginx.origin), url);
        });
});

test("without JavaScript a person signs in and out", async (t) => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${nginx.origin}/private/`);
    assert.strictEqual(new URL(page.url()).pathname, "/auth/signin");
    await page.getByRole("button", { name: "Sign in with Mock & Sons" }).click();
    await page.waitForURL(`${nginx.origin}/private/`);
    await page.goto(`${nginx.origin}/auth/signout`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/\/auth\/signin\?/);  // back at the page it came from, which asks again
});

describe("an internal failure shows a reference that finds its line", () => {
    const failures = {
        "a provider that answers nonsense": async (b) => { provider.answer("token", { body: "nonsense" }, { times: 1 }); return (await b.signIn("mock")).callback; },
        "a provider that is down": async (b) => { provider.answer("token", { reset: true }, { times: 1 }); return (await b.signIn("mock")).callback; },
        "a password file that is not there": async (b) => b.post(b.route("callback/broken"), { csrfToken: await b.csrf(), name: "x" }),
        "a mail server that is not there": async (b) => b.post(b.route("signin/mail"), { csrfToken: await b.csrf(), email: "ada@example.com" }),
        "a provider that nobody configured": async (b) => b.get(b.route("callback/nobody")),
    };
    for (const [what, fail] of Object.entries(failures))
        test(what, async () => {
            const b = new Browser(nginx.origin);
            const from = nginx.log.length;
            const answer = await fail(b);
            assert.strictEqual(answer.status, 302, answer.body);
            const ref = new URL(answer.location).searchParams.get("ref");
            assert.match(ref ?? "", /^[0-9a-f]{32}$/, answer.location);
            const page = await b.get(answer.location);
            if (page.status === 500) assert.match(page.body, new RegExp(`Reference: ${ref}`));
            await nginx.until(new RegExp(`auth_js: \\w+: .*ref=${ref}`), { from });
            const line = nginx.log.slice(from).split("\n").find((l) => l.includes(ref));
            assert.match(line, /auth_js: [A-Za-z0-9]+: [^=]{10,}/, "a sentence");
            if (process.env.SHOW) console.log(line);
        });
});
