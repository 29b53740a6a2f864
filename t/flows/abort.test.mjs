// A sign-in that is interrupted at each of its awaits [sec 53, 110]: the client goes, nginx reloads,
// the worker is stopped gracefully, the worker is killed. Whatever happens no code is sent twice,
// nothing that was started is left behind, and the same person signs in again.
import assert from "node:assert";
import fs from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import { after, before, test } from "node:test";

import { Browser } from "../lib/browser.mjs";
import { startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";

const pause = 250;   // ms that the answer at the k-th await is held back, for what is to happen there
const patience = process.env.AUTH_JS_CHECKED ? 10 : 1;
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
// Each kind of flow and the awaits that it has at least.
const kinds = { oauth: 3, oidc: 4, posted: 5 };

let nginx, provider;

before(async () => {
    provider = await startProvider();
    const client = "client_id test-client; client_secret test-secret;";
    nginx = await startNginx({
        ports: 3, level: "debug_mail",   // our debug records without nginx's
        http: `
            auth_js_secret 0123456789abcdef0123456789abcdef;
            auth_js_debug on;
            auth_js_http_timeout 5s;
            auth_js_provider oauth {
                type oauth; ${client} checks pkce state;
                authorization_url ${provider.origin}/authorize; token_url ${provider.origin}/token; userinfo_url ${provider.origin}/userinfo;
                profile '{id: .sub, name, email, image: .picture}';
            }
            auth_js_provider oidc { type oidc; issuer ${provider.issuer}; ${client} checks pkce state nonce; }
            auth_js_provider posted { type oidc; issuer ${provider.issuer}; ${client} checks pkce state nonce; authorization_param response_mode form_post; }
            auth_js_cookie pkce_code_verifier same_site=none secure=on;
            auth_js_cookie state same_site=none secure=on;
            auth_js_cookie nonce same_site=none secure=on;
            auth_js_cookie callback_url same_site=none secure=on;
            auth_js_callback sign_in uri /ask/sign_in;
            auth_js_callback jwt uri /ask/jwt;
            server { listen 127.0.0.1:{{port2}} http2; server_name 127.0.0.1; location /auth/ { auth_js_handler; } }
            server { listen 127.0.0.1:{{port3}} sndbuf=4k; server_name 127.0.0.1; location /auth/ { auth_js_handler; } }`,
        server: `
            location /auth/ { auth_js_handler; }
            location /ask/ { internal; proxy_pass ${provider.origin}; }`,
    });
    nginx.plant(provider.clientSecret);
    await new Browser(nginx.origin).csrf();   // the master minds signals from here on
});
after(async () => {
    try {
        assert.deepStrictEqual(provider.mistakes, []);
        await nginx.stop();
    } finally {
        await provider.close();
    }
});

// What the flows await, in order: requests to the provider, and callbacks that it answers as well.
const awaited = () => provider.requests.filter((r) => r.role !== "authorize");
const noted = (from) => nginx.log.slice(from).match(/auth_js: await/g)?.length ?? 0;

// What the callbacks of the configuration are answered.
const asked = (request) => ({ status: 200, json: request.path === "/ask/jwt" ? JSON.parse(request.body).token : true });

// at: lets `event` happen while the k-th await of what follows waits.
function at(k, event) {
    provider.reset();
    let done = Promise.resolve();
    const held = (request) => {
        const usual = request.role === "other" ? asked(request) : {};
        if (awaited().length !== k) return usual;
        done = sleep(30).then(() => event(request));
        return { ...usual, delay: pause };
    };
    for (const role of ["discovery", "jwks", "token", "userinfo", "other"]) provider.answer(role, held);
    return () => done;
}

async function fresh() {
    const old = nginx.workers;
    await nginx.reload();
    for (const end = Date.now() + patience * 10_000; old.some((pid) => nginx.workers.includes(pid)); await sleep(10)) assert.ok(Date.now() < end, "the old worker stays");
}

// attempt: a sign-in whose requests may fail; answers { consent, callback, failure }.
async function attempt(browser, kind, signal) {
    const out = {};
    try {
        const csrfToken = await browser.csrf();
        const start = await browser.post(browser.route(`signin/${kind}`), { csrfToken, callbackUrl: `${nginx.origin}/` }, { signal });
        assert.strictEqual(start.status, 302, start.body);
        out.consent = await browser.consent(start.location);
        out.callback = await browser.back(out.consent, { signal });
    } catch (e) {
        if (e instanceof assert.AssertionError) throw e;
        out.failure = e;
    }
    return out;
}

async function signsIn(browser, kind) {
    provider.reset();
    provider.answer("other", asked);
    browser.jar.delete(/session-token/);
    const { callback } = await browser.signIn(kind);
    assert.strictEqual(callback.location, `${nginx.origin}/`, callback.location);
    assert.strictEqual((await browser.session()).user.name, "Ada Lovelace");
}

function noCodeTwice() {
    const codes = provider.requestsOf("token").map((r) => r.form.code);
    assert.strictEqual(new Set(codes).size, codes.length, "a code was sent twice");
}

const counted = {};
for (const [kind, least] of Object.entries(kinds))
    test(`complete sign-in: ${kind}`, async (t) => {
        await fresh();
        const from = nginx.log.length;
        provider.reset();
        provider.answer("other", asked);
        const { callback } = await new Browser(nginx.origin).signIn(kind);
        assert.strictEqual(callback.location, `${nginx.origin}/`, callback.location);
        const n = awaited().length;
        assert.strictEqual(noted(from), n, "the log counts what the provider saw");
        assert.ok(n >= least, `${n} awaits`);
        counted[kind] = n;
        t.diagnostic(`${kind}: n = ${n} awaits: ${awaited().map((r) => (r.role === "other" ? r.path.slice(5) : r.role)).join(", ")}`);
    });

// What happens at an await, and what must have become of the flow.
const events = {
    "the client gone": {
        event: (request, { leave }) => leave(),
        async check({ out, k, n, kind, held }) {
            assert.ok(out.failure, "the client has left");
            // Up to the code's way to the provider leaving ends it all; from there it goes on.
            const spent = provider.requestsOf("token").length > 0;
            if (spent) {
                for (const end = Date.now() + patience * 5000; awaited().length < n; await sleep(10))
                    assert.ok(Date.now() < end, `${kind} at ${k}: ${awaited().length} of ${n}`);
            } else {
                await Promise.race([held().closed, sleep(3000).then(() => assert.fail("a transfer outlives its client"))]);
                await sleep(pause);
                assert.strictEqual(awaited().length, k, "nothing more is asked");
            }
        },
    },
    "a reload": { event: () => nginx.reload(), check: finished },
    "the worker stopped": { event: () => process.kill(nginx.workers[0], "SIGQUIT"), check: finished },
    "the worker killed": {
        event: () => nginx.kill(nginx.workers[0]),
        async check({ out, browser }) {
            assert.ok(out.failure, "the connection broke");
            if (!out.consent) return;
            const again = await browser.back(out.consent);   // the browser's "try again"
            assert.ok([302, 303].includes(again.status), `${again.status}`);
            noCodeTwice();
        },
    },
};
async function finished({ out }) {
    assert.ifError(out.failure);
    assert.strictEqual(out.callback.location, `${nginx.origin}/`, out.callback.location);
    assert.ok(out.callback.cookies.some((c) => c.startsWith("authjs.session-token=")));
}

for (const kind of Object.keys(kinds))
    for (const [name, { event, check }] of Object.entries(events))
        test(`${kind}: ${name} at each await`, async (t) => {
            const n = counted[kind];
            assert.ok(n, "the awaits were counted");
            for (let k = 1; k <= n; k++) {
                await fresh();
                const browser = new Browser(nginx.origin), client = new AbortController();
                let held;
                const over = at(k, async (request) => {
                    held = request;
                    await event(request, { leave: () => client.abort() });
                });
                const out = await attempt(browser, kind, client.signal);
                await over();
                assert.ok(held, `the ${k}th await was reached`);
                await check({ out, k, n, kind, browser, held: () => held });
                noCodeTwice();
                await signsIn(browser, kind);
            }
            t.diagnostic(`${kind}: ${n} times ${name}`);
        });

test("workers killed again and again under load: the zone's lock recovers [sec 111]", async () => {
    const browser = new Browser(nginx.origin);
    await signsIn(browser, "oauth");
    let stop = false, sent = 0;
    const callbacks = async () => {
        while (!stop) await browser.get(`/auth/callback/oauth?code=c${++sent}&state=x`, { keepCookies: false }).catch(() => {});
    };
    const load = Promise.all(Array.from({ length: 8 }, callbacks));
    for (let i = 0; i < 20; i++) {
        for (const pid of nginx.workers) nginx.kill(pid);
        for (const end = Date.now() + patience * 5000; nginx.workers.length < 1; await sleep(5)) assert.ok(Date.now() < end, "no new worker");
        await sleep(30);
    }
    for (let i = 0; i < 20; i++) await nginx.reload();
    stop = true;
    await load;
    await fresh();
    await signsIn(browser, "oauth");
});

test("a worker that dies with the zone locked: the lock is freed [sec 111]", async (t) => {
    await fresh();
    const browser = new Browser(nginx.origin);
    await signsIn(browser, "oauth");
    // The zone begins with its lock, which holds the id of the process that has it.
    const [worker] = nginx.workers;
    const zone = fs.readFileSync(`/proc/${worker}/maps`, "utf8").split("\n").map((line) => /^([0-9a-f]+)-([0-9a-f]+) rw-s .*\/dev\/zero/.exec(line))
        .filter(Boolean).map(([, from, to]) => ({ at: parseInt(from, 16), size: parseInt(to, 16) - parseInt(from, 16) })).find(({ size }) => size === 1 << 20);
    assert.ok(zone, "the zone is mapped");
    const lock = Buffer.alloc(8);
    let memory;
    try { memory = fs.openSync(`/proc/${worker}/mem`, "r+"); } catch (e) { return t.skip(e.code); }
    fs.readSync(memory, lock, 0, 8, zone.at);
    assert.strictEqual(lock.readBigUInt64LE(), 0n, "nobody has the lock");
    lock.writeBigUInt64LE(BigInt(worker));
    fs.writeSync(memory, lock, 0, 8, zone.at);
    fs.closeSync(memory);
    const freed = new RegExp(`shared memory zone "auth_js" was locked by ${worker}$`, "m");
    nginx.allow(freed);
    nginx.kill(worker);
    await nginx.until(freed);
    for (const end = Date.now() + patience * 5000; nginx.workers.includes(worker) || !nginx.workers.length; await sleep(5)) assert.ok(Date.now() < end, "no new worker");
    await signsIn(browser, "oauth");
    assert.strictEqual(provider.requestsOf("token").length, 1);
});

test("visitors that read slowly, or not at all, keep nobody waiting [sec 110]", async () => {
    await fresh();
    // A socket that takes 1 KiB at a time: the page is longer than what it and nginx's side hold.
    const slow = Array.from({ length: 40 }, () => {
        const s = net.connect({ port: nginx.ports[2], host: "127.0.0.1", highWaterMark: 512 }).on("error", () => {});
        for (let i = 0; i < 20; i++) s.write("GET /auth/signin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        return s.pause();
    });
    await sleep(300);
    const begun = performance.now();
    await signsIn(new Browser(nginx.origin), "oauth");
    assert.ok(performance.now() - begun < patience * 3000, "others wait");
    for (const s of slow.slice(0, 20)) s.destroy();
    // The others come round in the end, and get all that they asked for.
    const pages = await Promise.all(slow.slice(20).map((s) => new Promise((done) => {
        let text = "";
        s.setEncoding("utf8").on("data", (d) => { text += d; if ((text.match(/<\/html>/g) ?? []).length === 20) done(20); }).on("close", () => done(text)).resume();
    })));
    assert.deepStrictEqual(pages, Array(20).fill(20));
    for (const s of slow) s.destroy();
});

test("slow bodies that break off, and HTTP/2 streams reset at once [sec 110]", async () => {
    for (let i = 0; i < 20; i++) {
        const s = net.connect(nginx.port, "127.0.0.1").on("error", () => {});
        s.write("POST /auth/signin/oauth HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ncsrf");
        setTimeout(() => { s.write("Token="); s.destroy(); }, 20 + i);
    }
    const browser = new Browser(nginx.origin);
    await signsIn(browser, "oauth");
    provider.answer("token", { delay: 100 });
    const start = await browser.start("oauth");
    const consent = await browser.consent(start.location);
    const cookie = browser.jar.of(new URL(nginx.origin)).map((c) => `${c.name}=${c.value}`).join("; ");
    const { pathname, search } = new URL(consent.url);
    for (let round = 0; round < 5; round++) {
        const session = http2.connect(`http://127.0.0.1:${nginx.ports[1]}`).on("error", () => {});
        for (let i = 0; i < 100; i++) {
            const stream = session.request({ ":path": pathname + search, cookie }).on("error", () => {});
            setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), i % 10);
        }
        await sleep(150);
        session.destroy();
    }
    await sleep(300);
    noCodeTwice();
    await signsIn(browser, "oauth");
});
