// Auth.js's own clients, unmodified, against nginx: next-auth/react and the browser side of
// @auth/sveltekit in Chromium; @auth/core/jwt and @auth/express reading our cookies, and we theirs.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { encode, getToken } from "@auth/core/jwt";
import CredentialsProvider from "@auth/core/providers/credentials";
import { ExpressAuth, getSession } from "@auth/express";
import * as esbuild from "esbuild";
import express from "express";
import { chromium } from "playwright-core";

import { Browser } from "../lib/browser.mjs";
import { startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const secret = "an-unguessable-secret-of-more-than-32-bytes";
const older = "an-older-unguessable-secret-of-over-32-bytes";
const sha1 = (text) => `{SHA}${crypto.createHash("sha1").update(text).digest("base64")}`;

async function bundle(entry) {
    const none = Object.fromEntries(["NEXTAUTH_URL", "NEXTAUTH_URL_INTERNAL", "VERCEL_URL"].map((n) => [`process.env.${n}`, "undefined"]));
    const paths = { name: "sveltekit", setup(build) {
        build.onResolve({ filter: /^\$app\/paths$/ }, (a) => ({ path: a.path, namespace: "kit" }));
        build.onLoad({ filter: /.*/, namespace: "kit" }, () => ({ contents: 'export const base = "";' }));
    } };
    const built = await esbuild.build({ entryPoints: [path.join(root, "t/client", entry)], bundle: true, write: false, jsx: "automatic",
        define: { "process.env.NODE_ENV": '"production"', ...none }, plugins: [paths], logLevel: "error" });
    return built.outputFiles[0].text;
}
const page = (script) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title></head><body><div id="root"></div><script src="${script}"></script></body></html>`;

let provider, nginx, browser;
before(async () => {
    provider = await startProvider();
    const common = `auth_js_secret ${secret};
        auth_js_provider mock { type oidc; issuer ${provider.issuer}; client_id ${provider.clientId}; client_secret ${provider.clientSecret}; }
        auth_js_provider credentials { field username; field password type=password; authorize htpasswd:{{prefix}}/users; }
        auth_js_callback jwt jq 'if .trigger == "update" then .token + {name: .session.name} elif .user.name? == "big" then .token + {pad: ("x" * 6000)} else .token end';`;
    nginx = await startNginx({
        ports: 2,
        http: `types { text/html html; text/javascript js; } ${common} large_client_header_buffers 4 32k;
            server { listen 127.0.0.1:{{port2}}; server_name 127.0.0.1; root html; auth_js_csrf origin;
                location /auth/ { auth_js_handler; } location /private/ { auth_js on; } location = /favicon.ico { return 204; } }`,
        server: `location = /favicon.ico { return 204; } location /auth/ { auth_js_handler; }
            location /api/auth/ { auth_js_base_path /api/auth; auth_js_handler; }
            location /private/ { auth_js on; }
            location = /me { auth_js on; add_header X-Me "$auth_js_name" always; try_files /index.html =404; }`,
        files: {
            "html/app/index.html": page("next-auth.js"), "html/app/next-auth.js": await bundle("next-auth.jsx"),
            "html/kit/index.html": page("sveltekit.js"), "html/kit/sveltekit.js": await bundle("sveltekit.mjs"),
            "html/private/index.html": "private\n",
            users: `ada:${sha1("pw")}\nbig:${sha1("pw")}\n`,
        },
    });
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--headless", "--no-sandbox",
        "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
});
after(async () => {
    await browser?.close();
    await nginx?.stop();
    await provider?.close();
});

// open: a page of a browser of one's own, which notes every answer of the handler and every complaint.
async function open(t, url) {
    const context = await browser.newContext();
    t.after(() => context.close());
    const tab = await context.newPage();
    const wrong = [], asked = [];
    tab.on("console", (m) => { if (["error", "warning"].includes(m.type())) wrong.push(m.text()); });
    tab.on("pageerror", (e) => wrong.push(e.message));
    tab.on("response", (r) => { const u = new URL(r.url()); if (/\/auth\//.test(u.pathname)) asked.push(`${r.request().method()} ${u.pathname} ${r.status()}`); });
    await tab.goto(url);
    const who = (status) => tab.waitForSelector(`#who[data-status=${status}]`).then((e) => e.textContent());
    return { tab, who, wrong, asked, call: (f, ...args) => tab.evaluate(([name, list]) => window.auth[name](...list), [f, args]) };
}

test("next-auth is the one that the lock file names, file by file", (t) => {
    const lock = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"))).packages["node_modules/next-auth"];
    const installed = JSON.parse(fs.readFileSync(path.join(root, "node_modules/.package-lock.json"))).packages["node_modules/next-auth"];
    assert.deepStrictEqual([installed.version, installed.integrity], ["5.0.0-beta.32", lock.integrity]);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-pack-"));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    let packed;
    try {
        packed = JSON.parse(execFileSync("npm", ["pack", "--prefer-offline", "--json", `next-auth@${lock.version}`], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] }))[0];
    } catch {
        return t.skip("the package is neither in npm's cache nor to be had: its files are not compared");
    }
    const tarball = path.join(folder, packed.filename);
    assert.strictEqual(`sha512-${crypto.createHash("sha512").update(fs.readFileSync(tarball)).digest("base64")}`, lock.integrity);
    execFileSync("tar", ["-xzf", tarball], { cwd: folder });
    for (const name of ["react.js", "lib/client.js"])
        assert.ok(fs.readFileSync(path.join(folder, "package", name)).equals(fs.readFileSync(path.join(root, "node_modules/next-auth", name))), name);
});

for (const base of ["/auth", "/api/auth"]) describe(`next-auth/react under ${base}`, () => {
    const app = (more = "") => `${nginx.origin}/app/?base=${base}${more}`;

    test("getProviders, getCsrfToken, and a session that is not there", async (t) => {
        const p = await open(t, app());
        assert.strictEqual(await p.who("unauthenticated"), "unauthenticated");
        assert.deepStrictEqual(await p.tab.evaluate(() => window.states), ["loading", "unauthenticated"]);
        const providers = await p.call("getProviders");
        assert.deepStrictEqual(Object.keys(providers), ["mock", "credentials"]);
        assert.deepStrictEqual(providers.mock, { id: "mock", name: "mock", type: "oidc", signinUrl: `${nginx.origin}${base}/signin/mock`, callbackUrl: `${nginx.origin}${base}/callback/mock` });
        const token = await p.call("getCsrfToken");
        assert.match(token, /^[0-9a-f]{64}$/);
        assert.strictEqual(await p.call("getCsrfToken"), token);
        assert.strictEqual(await p.call("getSession"), null);
        assert.deepStrictEqual(p.wrong, []);
    });

    test("signIn with OAuth goes there and comes back; signOut ends it", async (t) => {
        const p = await open(t, app());
        await p.who("unauthenticated");
        await Promise.all([p.tab.waitForURL(app("&back=1")), p.tab.evaluate((to) => { window.auth.signIn("mock", { redirectTo: to }, { prompt: "login" }); }, app("&back=1"))]);
        assert.strictEqual(await p.who("authenticated"), "Ada Lovelace");
        assert.deepStrictEqual(await p.tab.evaluate(() => window.states), ["loading", "authenticated"]);
        assert.strictEqual(provider.requestsOf("authorize").at(-1).query.prompt, "login");
        await Promise.all([p.tab.waitForURL(app("&out=1")), p.tab.evaluate((to) => { window.auth.signOut({ redirectTo: to }); }, app("&out=1"))]);
        await p.who("unauthenticated");
        assert.deepStrictEqual(p.wrong, []);
    });

    test("signIn with redirect: false says where OAuth would go", async (t) => {
        const p = await open(t, app());
        await p.who("unauthenticated");
        const answer = await p.call("signIn", "mock", { redirect: false });
        assert.deepStrictEqual([answer.error, answer.ok, answer.status], [undefined, true, 200]);
        assert.strictEqual(new URL(answer.url).origin, provider.origin);
    });

    test("signIn with credentials and redirect: false: wrong, then right; the page learns of it by itself", async (t) => {
        const p = await open(t, app());
        await p.who("unauthenticated");
        assert.deepStrictEqual(await p.call("signIn", "credentials", { username: "ada", password: "nope", redirect: false }),
            { error: "CredentialsSignin", code: "credentials", status: 200, ok: true, url: null });
        const good = await p.call("signIn", "credentials", { username: "ada", password: "pw", redirect: false, redirectTo: "/private/" });
        assert.deepStrictEqual([good.error, good.status, good.ok, good.url], [undefined, 200, true, `${nginx.origin}/private/`]);
        assert.strictEqual(await p.who("authenticated"), "ada");
        const out = await p.call("signOut", { redirect: false, redirectTo: "/private/" });
        assert.deepStrictEqual(out, { url: `${nginx.origin}/private/` });
        await p.who("unauthenticated");
        assert.deepStrictEqual(p.wrong, []);
    });

    test("signIn with credentials and a redirect lands where it wanted, past the gate", async (t) => {
        const p = await open(t, app());
        await p.who("unauthenticated");
        await Promise.all([p.tab.waitForURL(`${nginx.origin}/private/`), p.tab.evaluate(() => { window.auth.signIn("credentials", { username: "ada", password: "pw", redirectTo: "/private/" }); })]);
        assert.match(await p.tab.textContent("body"), /private/);
    });

    test("an unknown provider, or none, leads to the sign-in page", async (t) => {
        for (const id of ["nobody", undefined]) {
            const p = await open(t, app());
            await p.who("unauthenticated");
            await Promise.all([p.tab.waitForURL(/\/signin\?/), p.tab.evaluate((one) => { window.auth.signIn(one); }, id)]);
            assert.match(await p.tab.textContent("body"), /Sign in with/);
        }
    });

    test("update takes what the callback lets it take; a refetch by time and by focus keeps the session", async (t) => {
        const p = await open(t, app());
        await p.who("unauthenticated");
        await p.call("signIn", "credentials", { username: "ada", password: "pw", redirect: false });
        await p.who("authenticated");
        const updated = await p.call("update", { name: "Countess" });
        assert.strictEqual(updated.user.name, "Countess");
        await p.tab.waitForFunction(() => document.querySelector("#who").textContent === "Countess");
        const same = await p.call("update");
        assert.strictEqual(same.user.name, "Countess");
        const sessions = () => p.asked.filter((a) => a === `GET ${base}/session 200`).length;
        const had = sessions();
        await p.tab.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
        for (const end = Date.now() + 5000; sessions() === had; await new Promise((r) => setTimeout(r, 20))) assert.ok(Date.now() < end, "no refetch");
        await p.tab.goto(app("&every=1"));
        await p.who("authenticated");
        const begun = sessions();
        for (const end = Date.now() + 10_000; sessions() < begun + 4; await new Promise((r) => setTimeout(r, 50))) assert.ok(Date.now() < end, "no polling");
        assert.strictEqual(await p.who("authenticated"), "Countess");
        assert.ok(p.asked.every((a) => a.endsWith(" 200")), p.asked.join("\n"));
        assert.deepStrictEqual(p.wrong, []);
    });

    test("a sign-out in one tab reaches the other", async (t) => {
        const p = await open(t, app());
        await p.who("unauthenticated");
        await p.call("signIn", "credentials", { username: "ada", password: "pw", redirect: false });
        await p.who("authenticated");
        const other = await p.tab.context().newPage();
        await other.goto(app());
        await other.waitForSelector("#who[data-status=authenticated]");
        await p.call("signOut", { redirect: false });
        await other.waitForSelector("#who[data-status=unauthenticated]");
    });
});

describe("@auth/sveltekit's client, which sends no token (auth_js_csrf origin)", () => {
    const kit = () => `http://127.0.0.1:${nginx.ports[1]}`;

    test("credentials and OAuth sign in, signOut signs out", async (t) => {
        const p = await open(t, `${kit()}/kit/`);
        const bad = await p.call("signIn", "credentials", { username: "ada", password: "nope", redirect: false });
        assert.deepStrictEqual([bad.error, bad.code, bad.url], ["CredentialsSignin", "credentials", null]);
        const good = await p.call("signIn", "credentials", { username: "ada", password: "pw", redirect: false, redirectTo: "/private/" });
        assert.deepStrictEqual([good.ok, good.url], [true, `${kit()}/private/`]);
        assert.strictEqual((await p.tab.evaluate(async () => (await fetch("/auth/session")).json())).user.name, "ada");
        assert.deepStrictEqual(await p.call("signOut", { redirect: false, redirectTo: "/" }), { url: `${kit()}/` });
        assert.strictEqual(await p.tab.evaluate(async () => (await fetch("/auth/session")).json()), null);
        await Promise.all([p.tab.waitForURL(`${kit()}/private/`), p.tab.evaluate(() => { window.auth.signIn("mock", { redirectTo: "/private/" }); })]);
        assert.match(await p.tab.textContent("body"), /private/);
    });

    test("a form of another site signs nobody in or out [sec 47]", async (t) => {
        const p = await open(t, `${kit()}/kit/`);
        await p.call("signIn", "credentials", { username: "ada", password: "pw", redirect: false });
        const evil = new Browser(kit());
        for (const [target, form] of [["callback/credentials", { username: "ada", password: "pw" }], ["signout", {}], ["signin/mock", {}]]) {
            for (const headers of [{ Origin: "https://evil.example" }, { Origin: "null" }, { "Sec-Fetch-Site": "cross-site" }, { "Sec-Fetch-Site": "same-site", Origin: kit() }, {}]) {
                const answer = await evil.post(evil.route(target), form, { headers });
                assert.match(answer.location, /\/auth\/signin\?error=MissingCSRF/, `${target} ${JSON.stringify(headers)}`);
                assert.ok(!answer.cookies.some((c) => c.includes("session-token")));
            }
        }
    });
});

describe("applications in Node beside nginx", () => {
    // The same configuration, as an Express application has it.
    const settings = (secrets) => ({
        secret: secrets, basePath: "/auth", trustHost: true, useSecureCookies: false, session: { strategy: "jwt" },
        providers: [CredentialsProvider({ credentials: { username: {} }, authorize: ({ username }) => ({ id: "7", name: username, email: `${username}@example.com` }) })],
        callbacks: { jwt: ({ token, user }) => (user?.name === "big" ? { ...token, pad: "x".repeat(6000) } : token) },
    });
    async function application(t, secrets) {
        const app = express();
        app.get("/me", async (rq, rs) => rs.json(await getSession(rq, settings(secrets))));
        app.get("/token", async (rq, rs) => rs.json(await getToken({ req: rq, secret: secrets, secureCookie: false })));
        app.use("/auth/*", ExpressAuth(settings(secrets)));
        const server = await new Promise((done) => { const s = app.listen(0, "127.0.0.1", () => done(s)); });
        t.after(() => server.close());
        return `http://127.0.0.1:${server.address().port}`;
    }
    const cookies = (jar) => [...jar.cookies.values()].map((c) => `${c.name}=${c.value}`).join("; ");
    const ask = async (url, jar) => (await fetch(url, { headers: { cookie: cookies(jar) } })).json();
    const names = (jar) => jar.names().filter((n) => n.includes("session-token")).sort();

    for (const [user, pieces] of [["ada", ["authjs.session-token"]], ["big", ["authjs.session-token.0", "authjs.session-token.1", "authjs.session-token.2"]]]) {
        test(`our cookie of ${user} in ${pieces.length} piece(s) is read by getToken and getSession`, async (t) => {
            const me = new Browser(nginx.origin);
            await me.post(me.route("callback/credentials"), { csrfToken: await me.csrf(), username: user, password: "pw" });
            assert.deepStrictEqual(names(me.jar).length, pieces.length, names(me.jar).join());
            for (const secrets of [secret, [secret, older], ["a-newer-unguessable-secret-of-over-32-bytes", secret]]) {
                const app = await application(t, secrets);
                const token = await ask(`${app}/token`, me.jar);
                assert.strictEqual(token?.name, user, JSON.stringify(secrets));
                assert.strictEqual((token.pad ?? "").length, user === "big" ? 6000 : 0);
                assert.strictEqual((await ask(`${app}/me`, me.jar)).user.name, user);
            }
            assert.strictEqual(await ask(`${await application(t, older)}/me`, me.jar), null);
        });

        test(`their cookie of ${user} in ${pieces.length} piece(s) is read by the gate and the session endpoint`, async (t) => {
            const app = await application(t, secret);
            const them = new Browser(app);
            const answer = await them.post(them.route("callback/credentials"), { csrfToken: await them.csrf(), username: user, callbackUrl: `${app}/` });
            assert.strictEqual(answer.status, 302);
            assert.strictEqual(names(them.jar).length, pieces.length);
            const us = new Browser(nginx.origin, { jar: them.jar });
            assert.strictEqual((await us.get("/me")).headers["x-me"], user);
            assert.deepStrictEqual((await us.session()).user, { name: user, email: `${user}@example.com` });
            // And what we renewed there is theirs again.
            assert.strictEqual((await ask(`${app}/me`, us.jar)).user.name, user);
        });
    }

    test("a token made with the secret before the last opens after the change", async () => {
        const rotated = await startNginx({
            http: `auth_js_secret ${secret} ${older}; auth_js_provider credentials { field u; authorize htpasswd:{{prefix}}/users; }`,
            server: "location /auth/ { auth_js_handler; } location = /me { auth_js on; add_header X-Me $auth_js_name always; try_files /index.html =404; }",
            files: { users: "" },
        });
        try {
            const salt = "authjs.session-token";
            for (const [key, status] of [[older, 200], [secret, 200], ["a-wrong-secret-that-nobody-should-accept", 401]]) {
                const token = await encode({ secret: key, salt, token: { name: "ada", sub: "1" } });
                const answer = await fetch(`${rotated.origin}/me`, { headers: { cookie: `${salt}=${token}` } });
                assert.strictEqual(answer.status, status);
                assert.strictEqual(answer.headers.get("x-me") ?? "", status === 200 ? "ada" : "");
            }
            // Renewed, it is under the new secret.
            const token = await encode({ secret: older, salt, token: { name: "ada", sub: "1" } });
            const renewed = await fetch(`${rotated.origin}/auth/session`, { headers: { cookie: `${salt}=${token}` } });
            const cookie = renewed.headers.getSetCookie().find((c) => c.startsWith(salt)).split(";")[0];
            assert.strictEqual((await getToken({ req: { headers: { cookie } }, secret })).name, "ada");
        } finally {
            await rotated.stop();
        }
    });
});
