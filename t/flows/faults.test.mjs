// The world around nginx changes under it: a name comes to stand for another address, the clock jumps.
import assert from "node:assert";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { encode } from "@auth/core/jwt";

import { Browser, Jar } from "../lib/browser.mjs";
import { modulePath, startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";
import { oauthBlock, storeSite } from "../lib/store.mjs";

const preload = (name) => path.resolve(path.dirname(modulePath), `tools/${name}.so`);
const secret = "an-unguessable-secret-of-more-than-32-bytes";
const errorOf = (answer) => new URL(answer.location).searchParams.get("error");
const temporary = (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-faults-"));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    fs.chmodSync(folder, 0o755);
    return folder;
};

// --- names ---------------------------------------------------------------------------------------

// An issuer of the internet, whose names are at addresses of the internet; `move` has one of them
// stand for another address. Workers remember for a minute what a name meant.
async function startFarIssuer(t) {
    const hosts = path.join(temporary(t), "hosts");
    const names = { "id.example": "93.184.216.34", "api.example": "93.184.216.35", "keys.example": "93.184.216.36", "me.example": "93.184.216.37" };
    const write = () => fs.writeFileSync(hosts, Object.entries(names).map(([n, a]) => `${n} ${a}\n`).join(""));
    write();
    const provider = await startProvider();
    t.after(() => provider.close());
    const at = (name) => `http://${name}:${provider.port}`;
    provider.issuer = at("id.example");
    provider.answer("discovery", { headers: { "cache-control": "max-age=0" }, merge: {
        issuer: provider.issuer, authorization_endpoint: `${provider.issuer}/authorize`, token_endpoint: `${at("api.example")}/token`,
        jwks_uri: `${at("keys.example")}/jwks`, userinfo_endpoint: `${at("me.example")}/userinfo` } });
    const block = (id, more) => `auth_js_provider ${id} { type oidc; issuer ${provider.issuer}; client_id ${provider.clientId}; client_secret ${provider.clientSecret}; ${more} }`;
    const nginx = await startNginx({
        env: { LD_PRELOAD: preload("far_hosts"), FAR_HOSTS: hosts },
        http: `auth_js_secret ${secret}; ${block("open", "")} ${block("asking", "id_token off;")}`,
        server: "location /auth/ { auth_js_handler; }",
    });
    t.after(() => nginx.stop());
    const signIn = async (id) => {
        const browser = new Browser(nginx.origin);
        const to = (await browser.start(id)).location;
        const consent = await browser.consent(to.replace(provider.issuer, provider.origin));
        return { browser, back: () => browser.back(consent) };
    };
    return { provider, nginx, signIn, move: (name, address) => { names[name] = address; write(); } };
}

for (const [role, name, id] of [["token", "api.example", "open"], ["jwks", "keys.example", "open"], ["userinfo", "me.example", "asking"]])
    test(`a public issuer's ${role} endpoint comes to stand for an address inside: nothing is asked there [sec 80]`, async (t) => {
        const { provider, nginx, signIn, move } = await startFarIssuer(t);
        const before = await signIn(id);
        assert.strictEqual((await before.back()).location, `${nginx.origin}/`);
        for (const inside of ["127.0.0.1", "169.254.169.254", "10.0.0.7"]) {
            const during = await signIn(id);
            await nginx.reload();                  // and what a worker knew of the name is gone
            move(name, inside);
            const asked = provider.requestsOf(role).length;
            const from = nginx.log.length;
            assert.strictEqual(errorOf(await during.back()), "Configuration");
            assert.match(nginx.log.slice(from), new RegExp(`the name stands for an address in a private network host=${name}`));
            assert.strictEqual(provider.requestsOf(role).length, asked, `${role} was asked at ${inside}`);
            assert.strictEqual(await during.browser.session(), null);
            move(name, "93.184.216.38");
        }
        await nginx.reload();
        const after = await signIn(id);
        assert.strictEqual((await after.back()).location, `${nginx.origin}/`);
    });

// --- the clock -----------------------------------------------------------------------------------

const hour = 3600, year = 365 * 24 * hour;
// clockOf: a file that a preloaded clock reads; set(seconds) is where time stands from then on.
function clockOf(t) {
    const file = path.join(temporary(t), "clock");
    const set = (seconds) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(BigInt(seconds));
        const fd = fs.openSync(file, fs.existsSync(file) ? "r+" : "w");
        fs.writeSync(fd, bytes, 0, 8, 0);
        fs.closeSync(fd);
    };
    set(0);
    return { set, env: { LD_PRELOAD: preload("moved_clock"), MOVED_CLOCK: file } };
}

for (const strategy of ["jwt", "database"])
    test(`the clock jumps by hours, ten years, past 2038 and back: what has ended is refused, nothing hangs (${strategy}) [sec 112]`, async (t) => {
        const clock = clockOf(t);
        const provider = await startProvider({ oidc: false });
        t.after(() => provider.close());
        const site = await storeSite({ provider, env: clock.env, session: `auth_js_session strategy=${strategy} max_age=7200s update_age=7200s cache=1s;` });
        t.after(() => site.stop());
        const status = async (browser) => {
            const started = performance.now();
            const answer = await browser.get("/private", { keepCookies: false });
            assert.ok(performance.now() - started < 5000, "it took too long");
            return answer.status === 200 ? answer.headers["x-user"].split("|").pop() : "refused";
        };
        const signIn = async () => {
            const browser = new Browser(site.origin);
            const answer = await browser.back(await browser.consent((await browser.start("forge")).location));
            assert.strictEqual(answer.location, `${site.origin}/`);
            return browser;
        };
        const browser = await signIn();
        // A row that was found past its end is gone for good, as Auth.js deletes it.
        const restored = strategy === "jwt" ? "ok" : "refused";
        for (const [jump, expected] of [[0, "ok"], [hour, "ok"], [0, "ok"], [-hour, "ok"], [-10 * year, "ok"], [0, "ok"],
            [3 * hour, "refused"], [10 * year, "refused"], [0, restored]]) {
            clock.set(jump);
            assert.strictEqual(await status(browser), expected, `${jump} s off`);
        }
        // New sign-ins work wherever the clock stands; each session ends by that clock.
        for (const jump of [hour, 15 * year, -hour]) {
            clock.set(jump);
            const young = await signIn();
            assert.strictEqual(await status(young), "ok", `${jump} s off`);
            clock.set(jump + 3 * hour);
            assert.strictEqual(await status(young), "refused", `${jump} s off and later`);
        }
        assert.doesNotMatch(site.log, /\[(alert|crit|emerg)\]/);
    });

test("the clock jumps during a sign-in: checks end by it, and a used code stays used [sec 52] [sec 112]", async (t) => {
    const clock = clockOf(t);
    const provider = await startProvider({ oidc: false });
    t.after(() => provider.close());
    const nginx = await startNginx({ env: clock.env, http: `auth_js_secret ${secret}; ${oauthBlock(provider, "forge")}`, server: "location /auth/ { auth_js_handler; }" });
    t.after(() => nginx.stop());
    const started = async () => {
        const browser = new Browser(nginx.origin);
        const consent = await browser.consent((await browser.start("forge")).location);
        const cookies = new Map(browser.jar.cookies);
        return { browser, back: () => browser.back(consent), again: () => new Browser(nginx.origin, { jar: Object.assign(new Jar(), { cookies: new Map(cookies) }) }).back(consent) };
    };
    // The state was made fifteen minutes and more ago, by the clock as it is now.
    const late = await started();
    clock.set(hour);
    assert.strictEqual(errorOf(await late.back()), "Configuration");
    assert.strictEqual(provider.requestsOf("token").length, 0);
    // Back again; and a code that was used is not sent again, whatever the clock did meanwhile.
    clock.set(0);
    const used = await started();
    assert.strictEqual((await used.back()).location, `${nginx.origin}/`);
    for (const jump of [0, 10 * year, 0, -10 * year, 0]) {
        clock.set(jump);
        await new Browser(nginx.origin).get("/auth/csrf");
        assert.strictEqual(errorOf(await used.again()), "Configuration", `${jump} s off`);
        assert.strictEqual(provider.requestsOf("token").length, 1, "the code was sent again");
    }
    // Started an hour ahead, finished here.
    clock.set(hour);
    const ahead = await started();
    clock.set(0);
    assert.strictEqual((await ahead.back()).location, `${nginx.origin}/`);
});

test("a token of Auth.js's that begins in the future is no session yet, and ends by the clock [sec 60] [sec 112]", async (t) => {
    const clock = clockOf(t);
    const nginx = await startNginx({ env: clock.env, http: `auth_js_secret ${secret}; auth_js_unauthorized 401;`, server: "location /m/ { auth_js on; }", files: { "html/m/a": "member\n" } });
    t.after(() => nginx.stop());
    const salt = "authjs.session-token", now = Math.floor(Date.now() / 1000);
    const asked = async (cookie) => (await new Browser(nginx.origin).get("/m/a", { headers: { cookie: `${salt}=${cookie}` } })).status;
    const later = await encode({ token: { sub: "1", nbf: now + hour }, secret, salt, maxAge: 4 * hour });
    for (const [jump, status] of [[0, 401], [2 * hour, 200], [0, 401], [-10 * year, 401], [2 * hour, 200], [5 * hour, 401]]) {
        clock.set(jump);
        assert.strictEqual(await asked(later), status, `${jump} s off`);
    }
});
