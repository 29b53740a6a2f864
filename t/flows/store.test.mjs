// Users, accounts and sessions in SQLite: what each flow leaves in the rows, the gate over database
// sessions, and a store that fails (spec/flows.md sections 5, 6, 10, 11).
import assert from "node:assert";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import Database from "libsql";

import { testConfig } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";
import { browserOf, count, integrity, oauthBlock, rows, secret, storeSite } from "../lib/store.mjs";

const day = 86_400_000;
let provider;
before(async () => { provider = await startProvider({ oidc: false }); });
after(async () => { await provider.close(); });

let people = 0;
// somebody: a person nobody has seen before; the provider vouches for them from now on.
function somebody(changes = {}) {
    const n = ++people;
    provider.user = { sub: `sub-${n}`, name: `Person ${n}`, email: `Person.${n}@Example.com`, picture: `https://img.example/${n}.png`, ...changes };
    return provider.user;
}
const cookie = "authjs.session-token";

for (const strategy of ["database", "jwt"]) {
    describe(`linking, strategy=${strategy}`, () => {
        let site;
        before(async () => {
            // reuseport: connections are spread over the workers by chance.
            site = await storeSite({ provider, workers: 2, listen: "reuseport", session: `auth_js_session strategy=${strategy};`, more: "add_header X-Worker $pid always;" });
        });
        after(() => site.stop());
        const errorOf = (rs) => new URL(rs.location).searchParams.get("error");

        test("the first sign-in makes user, account and session, once each", async () => {
            const who = somebody();
            const b = browserOf(site);
            const { callback } = await b.signIn("forge");
            assert.strictEqual(callback.location, `${site.origin}/`);
            const [user] = rows(site.file, "SELECT * FROM user WHERE email = ?", who.email.toLowerCase());
            assert.strictEqual(user.name, who.name);
            assert.strictEqual(user.emailVerified, null);
            const [account] = rows(site.file, "SELECT * FROM account WHERE userId = ?", user.id);
            assert.deepStrictEqual([account.provider, account.type, account.providerAccountId], ["forge", "oauth", who.sub]);
            assert.ok(account.access_token);
            const sessions = rows(site.file, "SELECT * FROM session WHERE userId = ?", user.id);
            assert.strictEqual(sessions.length, strategy === "database" ? 1 : 0);
            if (strategy === "database") {
                assert.strictEqual(b.jar.get(cookie), sessions[0].sessionToken);
                assert.ok(Math.abs(Number(sessions[0].expires) - Date.now() - 30 * day) < 60_000);
            }
            assert.strictEqual((await b.session()).user.email, who.email.toLowerCase());
            assert.strictEqual((await b.get("/private")).status, 200);
        });

        test("a known account signs in as its user and writes no second row", async () => {
            const who = somebody();
            await browserOf(site).signIn("forge");
            const before = [count(site.file, "user"), count(site.file, "account")];
            provider.user = { ...who, name: "Changed" };
            const b = browserOf(site);
            await b.signIn("forge");
            assert.deepStrictEqual([count(site.file, "user"), count(site.file, "account")], before);
            assert.strictEqual((await b.session()).user.name, who.name);
        });

        test("signed in, an unknown account of a second provider is linked; the session goes on", async () => {
            const who = somebody();
            const b = browserOf(site);
            await b.signIn("forge");
            const old = b.jar.get(cookie);
            provider.user = { ...who, sub: `${who.sub}-other`, email: `elsewhere.${who.sub}@example.com` };
            const { callback } = await b.signIn("other");
            assert.strictEqual(callback.location, `${site.origin}/`);
            if (strategy === "database") assert.strictEqual(b.jar.get(cookie), old);
            const accounts = rows(site.file, "SELECT a.provider FROM account a JOIN user u ON u.id = a.userId WHERE u.email = ? ORDER BY 1", who.email.toLowerCase());
            assert.deepStrictEqual(accounts.map((a) => a.provider), ["forge", "other"]);
        });

        test("signed in as one, an account of another is refused: OAuthAccountNotLinked", async () => {
            const one = somebody();
            await browserOf(site).signIn("forge");
            somebody();
            const b = browserOf(site);
            await b.signIn("forge");
            provider.user = one;
            const { callback } = await b.signIn("forge");
            assert.strictEqual(errorOf(callback), "OAuthAccountNotLinked");
        });

        // [sec 86] whatever the provider says of the address
        for (const verified of [false, undefined, "true", 1, null, true]) {
            test(`an address that is taken is not linked by itself (email_verified: ${JSON.stringify(verified)})`, async () => {
                const who = somebody();
                await browserOf(site).signIn("forge");
                const before = [count(site.file, "user"), count(site.file, "account")];
                provider.user = { ...who, sub: "an attacker", email_verified: verified };
                const b = browserOf(site);
                const { callback } = await b.signIn("other");
                assert.strictEqual(errorOf(callback), "OAuthAccountNotLinked");
                assert.deepStrictEqual([count(site.file, "user"), count(site.file, "account")], before);
                assert.strictEqual(await b.session(), null);
            });
        }

        test("two first sign-ins of one person at the same instant make one user, and both get in", async () => {
            let apart = 0;
            for (let round = 0; round < 10 || apart < 5; round++) {
                assert.ok(round < 200, "one worker does it all");
                const who = somebody();
                const pair = [browserOf(site), browserOf(site)];
                const ready = await Promise.all(pair.map(async (b) => b.consent((await b.start("forge")).location)));
                const done = await Promise.all(pair.map((b, i) => b.back(ready[i])));
                assert.deepStrictEqual(done.map((d) => d.location), [`${site.origin}/`, `${site.origin}/`]);
                apart += done[0].headers["x-worker"] !== done[1].headers["x-worker"];
                for (const b of pair) assert.strictEqual((await b.session()).user.email, who.email.toLowerCase());
                assert.strictEqual(rows(site.file, "SELECT count(*) AS n FROM user WHERE email = ?", who.email.toLowerCase())[0].n, 1);
            }
        });

        test("a person without an address is stored and found again", async () => {
            const who = somebody({ email: undefined });
            await browserOf(site).signIn("forge");
            const b = browserOf(site);
            await b.signIn("forge");
            assert.strictEqual((await b.session()).user.name, who.name);
        });
    });
}

test("allow_dangerous_email_account_linking links to the address's user", async (t) => {
    const site = await storeSite({
        provider, providers: oauthBlock(provider, "forge") + oauthBlock(provider, "other", "allow_dangerous_email_account_linking on;"),
    });
    t.after(() => site.stop());
    const who = somebody();
    await browserOf(site).signIn("forge");
    provider.user = { ...who, sub: `${who.sub}-x` };
    const b = browserOf(site);
    await b.signIn("other");
    assert.strictEqual((await b.session()).user.email, who.email.toLowerCase());
    assert.strictEqual(count(site.file, "user"), 1);
    assert.strictEqual(count(site.file, "account"), 2);
});

test("a new issuer under an old id: the accounts stay, by id and subject [sec 88]", async (t) => {
    const issuers = await Promise.all([startProvider(), startProvider()]);
    t.after(() => Promise.all(issuers.map((p) => p.close())));
    const block = (p) => `auth_js_provider staff { type oidc; issuer ${p.issuer}; client_id ${p.clientId}; client_secret ${p.clientSecret}; }`;
    const site = await storeSite({ provider, providers: block(issuers[0]) });
    t.after(() => site.stop());
    await browserOf(site).signIn("staff");
    const [before] = rows(site.file, "SELECT provider, providerAccountId, userId FROM account");
    assert.deepStrictEqual([before.provider, before.providerAccountId], ["staff", issuers[0].user.sub]);
    const conf = path.join(site.prefix, "conf/nginx.conf");
    await site.reload(fs.readFileSync(conf, "utf8").replace(block(issuers[0]), block(issuers[1])));
    issuers[1].user = { ...issuers[1].user, email: "moved@example.com" };
    const b = browserOf(site);
    assert.strictEqual((await b.signIn("staff")).callback.location, `${site.origin}/`);
    assert.strictEqual((await b.session()).user.email, issuers[0].user.email.toLowerCase());
    assert.deepStrictEqual(rows(site.file, "SELECT provider, providerAccountId, userId FROM account"), [before]);
    assert.strictEqual(count(site.file, "user"), 1);
});

describe("database sessions", () => {
    let site;
    before(async () => {
        site = await storeSite({ provider, session: "auth_js_session cache=off;" });
    });
    after(() => site.stop());
    async function signedIn(on = site) {
        const who = somebody();
        const b = browserOf(on);
        await b.signIn("forge");
        const id = rows(on.file, "SELECT id FROM user WHERE email = ?", who.email.toLowerCase())[0].id;
        return { b, who, id, token: b.jar.get(cookie) };
    }

    test("the gate lets in, says who it is, and refuses what no row knows", async () => {
        const { b, who, id } = await signedIn();
        const rs = await b.get("/private");
        assert.strictEqual(rs.status, 200);
        assert.strictEqual(rs.headers["x-user"], `${id}|${who.email.toLowerCase()}||ok`);
        assert.strictEqual((await b.get("/asked")).status, 200);
        const verified = await b.get("/verify");
        assert.deepStrictEqual([verified.status, verified.headers["x-auth-user"]], [200, id]);
        const stranger = browserOf(site, { headers: { cookie: `${cookie}=no-such-session`, accept: "*/*" } });
        const no = await stranger.get("/private");
        assert.deepStrictEqual([no.status, no.headers["x-user"]], [401, "|||bad_token"]);
        assert.match(no.cookies.join(), /authjs.session-token=;.*Max-Age=0/);
        assert.strictEqual((await stranger.get("/verify")).status, 401);
        assert.strictEqual((await stranger.get("/free")).headers["x-user"], "|bad_token");
    });

    test("sign-out removes the row and the cookie; the next request is refused", async () => {
        const { b, token } = await signedIn();
        const rs = await b.signOut();
        assert.strictEqual(rs.status, 302);
        assert.strictEqual(b.jar.get(cookie), undefined);
        assert.strictEqual(rows(site.file, "SELECT 1 FROM session WHERE sessionToken = ?", token).length, 0);
        const held = browserOf(site, { headers: { cookie: `${cookie}=${token}`, accept: "*/*" } });
        assert.strictEqual((await held.get("/private")).status, 401);
        assert.strictEqual(await held.session(), null);
    });

    test("a session older than update_age is renewed, by the endpoint and by the gate", async () => {
        for (const how of [(b) => b.get("/private"), (b) => b.get(b.route("session"))]) {
            const { b, token } = await signedIn();
            rows(site.file, "UPDATE session SET expires = ? WHERE sessionToken = ?", Date.now() + 28 * day, token);
            const rs = await how(b);
            assert.strictEqual(rs.status, 200);
            const [row] = rows(site.file, "SELECT expires FROM session WHERE sessionToken = ?", token);
            assert.ok(Math.abs(Number(row.expires) - Date.now() - 30 * day) < 60_000);
            const line = rs.cookies.find((c) => c.startsWith(`${cookie}=${token};`));
            assert.ok(Math.abs(Date.parse(/Expires=([^;]*)/.exec(line)[1]) - Number(row.expires)) < 1500);
            assert.match(rs.headers["cache-control"], /private/);
        }
    });

    test("one that is younger is left as it is by the gate", async () => {
        const { b, token } = await signedIn();
        const then = Date.now() + 30 * day - 3_600_000;
        rows(site.file, "UPDATE session SET expires = ? WHERE sessionToken = ?", then, token);
        const rs = await b.get("/private");
        assert.deepStrictEqual(rs.cookies, []);
        assert.strictEqual(Number(rows(site.file, "SELECT expires FROM session WHERE sessionToken = ?", token)[0].expires), then);
    });

    test("an expired session is nobody's, and its row goes", async () => {
        const { b, token } = await signedIn();
        rows(site.file, "UPDATE session SET expires = ? WHERE sessionToken = ?", Date.now() - 1000, token);
        const rs = await b.get("/private", { headers: { accept: "*/*" } });
        assert.deepStrictEqual([rs.status, rs.headers["x-user"]], [401, "|||expired"]);
        assert.strictEqual(rows(site.file, "SELECT 1 FROM session WHERE sessionToken = ?", token).length, 0);
    });

    test("an expired session does not count as signed in when accounts are linked", async () => {
        const { b, who, token } = await signedIn();
        const value = b.jar.get(cookie);
        rows(site.file, "UPDATE session SET expires = ? WHERE sessionToken = ?", Date.now() - 1000, token);
        somebody();
        const { callback } = await b.signIn("other");
        assert.strictEqual(callback.location, `${site.origin}/`);
        assert.notStrictEqual(b.jar.get(cookie), value);
        assert.notStrictEqual((await b.session()).user.email, who.email.toLowerCase());
    });

    test("a user without a row is no session [sec 97]", async () => {
        const { b, id } = await signedIn();
        rows(site.file, "DELETE FROM user WHERE id = ?", id);
        assert.strictEqual((await b.get("/private", { headers: { accept: "*/*" } })).status, 401);
        assert.strictEqual(await b.session(), null);
    });

    test("no cookie asks the store for nothing and leaves nothing [sec 109]", async () => {
        const before = count(site.file, "session");
        const b = browserOf(site, { headers: { accept: "*/*" } });
        for (let i = 0; i < 50; i++) assert.strictEqual((await b.get("/private", { headers: { cookie: `${cookie}=${i}` } })).status, 401);
        assert.strictEqual(count(site.file, "session"), before);
    });

    test("a flood of strangers grows neither the rows nor the worker [sec 109]", async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
        const ask = (target, headers) => new Promise((done, failed) => {
            http.get(site.origin + target, { agent, headers }, (rs) => rs.resume().on("end", () => done(rs.statusCode))).on("error", failed);
        });
        const flood = async (n) => {
            for (let i = 0; i < n; i += 32)
                await Promise.all(Array.from({ length: 32 }, (_, j) => (j % 8 === 7 ? ask("/auth/signin", {}) : ask("/private", { accept: "*/*", ...(j % 2 && { cookie: `${cookie}=${i}-${j}` }) }))));
        };
        const resident = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${site.workers[0]}/status`, "utf8"))[1]);
        const counted = () => ["user", "account", "session", "verificationToken"].map((table) => count(site.file, table));
        await signedIn();
        const before = counted();
        await flood(4_000);
        const warm = resident();
        await flood(process.env.AUTH_JS_CHECKED ? 2_000 : 20_000);
        agent.destroy();
        counted().forEach((n, i) => assert.ok(n <= before[i], `${counted()} rows, ${before} before`));
        // Checkers keep what is freed.
        if (!process.env.AUTH_JS_CHECKED) assert.ok(resident() - warm < 1024, `${resident() - warm} KiB more`);
    });

    test("a hostile cookie is text [sec 103]", async () => {
        for (const value of ["'; DROP TABLE session; --", "%n%n%n%s", "%27%20OR%201=1--", "a%00b", "x".repeat(3000)]) {
            const rs = await browserOf(site, { headers: { accept: "*/*", cookie: `${cookie}=${value}` } }).get("/private");
            assert.strictEqual(rs.status, 401);
        }
        assert.strictEqual(integrity(site.file), "ok");
        assert.ok(count(site.file, "session") > 0);
    });
});

test("within cache= a worker answers from memory; a row deleted elsewhere ends with it [sec 97]", async (t) => {
    const site = await storeSite({ provider, session: "auth_js_session cache=2s;" });
    t.after(() => site.stop());
    somebody();
    const b = browserOf(site);
    await b.signIn("forge");
    assert.strictEqual((await b.get("/private")).status, 200);
    rows(site.file, "DELETE FROM session");
    const begun = Date.now();
    while ((await b.get("/private", { headers: { accept: "*/*" } })).status === 200) assert.ok(Date.now() - begun < 2500, "served for longer than cache=");
});

test("further columns reach the variables and the session callback, and a profile reaches them", async (t) => {
    const site = await storeSite({
        provider,
        providers: oauthBlock(provider, "forge", `profile '{id: .sub, name, email, role: "admin", nonsense: 1}';`),
        more: `auth_js_callback session jq '.session | {user: {name: .user.name, role: .user.role}, expires}';`,
        session: "auth_js_session cache=off;",
    });
    t.after(() => site.stop());
    await browserOf(site).get("/private");
    await browserOf(site).get("/private", { headers: { cookie: `${cookie}=make-the-tables` } });
    rows(site.file, `ALTER TABLE user ADD COLUMN role text DEFAULT 'guest'`);
    await site.reload();
    somebody();
    const b = browserOf(site);
    await b.signIn("forge");
    assert.match((await b.get("/private")).headers["x-user"], /\|admin\|ok$/);
    assert.strictEqual((await b.session()).user.role, "admin");
    rows(site.file, "UPDATE user SET role = 'editor'");
    assert.strictEqual((await b.session()).user.role, "editor");
});

test("credentials make a database session for a user the store knows, and nobody else", async (t) => {
    const site = await storeSite({
        provider,
        providers: oauthBlock(provider, "forge") + `
            auth_js_provider credentials { field username; field password type=password; authorize uri /authorize; }`,
        more: `location = /authorize { internal; proxy_pass http://127.0.0.1:{{port2}}; }`,
        ports: 2,
    });
    t.after(() => site.stop());
    let id = "nobody";
    const judge = http.createServer((rq, rs) => rs.setHeader("content-type", "application/json").end(JSON.stringify({ id })));
    await new Promise((ready) => judge.listen(site.ports[1], "127.0.0.1", ready));
    t.after(() => judge.close());

    const who = somebody();
    await browserOf(site).signIn("forge");
    const b = browserOf(site);
    const login = async () => b.post(b.route("callback/credentials"), { csrfToken: await b.csrf(), username: "ada", password: "x" });
    assert.match((await login()).location, /error=/);
    assert.strictEqual(await b.session(), null);
    id = rows(site.file, "SELECT id FROM user")[0].id;
    assert.strictEqual((await login()).location, `${site.origin}/`);
    assert.strictEqual((await b.session()).user.email, who.email.toLowerCase());
    assert.strictEqual(rows(site.file, "SELECT 1 FROM session WHERE sessionToken = ?", b.jar.get(cookie)).length, 1);
});

describe("a store that fails [sec 102]", () => {
    let site, b;
    before(async () => {
        site = await storeSite({ provider, session: "auth_js_session cache=off;" });
        somebody();
        b = browserOf(site);
        await b.signIn("forge");
    });
    after(() => site.stop());

    async function unavailable() {
        for (const target of ["/private", "/free", "/verify", b.route("session")]) {
            const begun = Date.now();
            const rs = await b.get(target, { headers: { accept: "text/html" } });
            assert.strictEqual(rs.status, 503, target);
            assert.ok(rs.headers["retry-after"], target);
            assert.deepStrictEqual(rs.cookies.filter((c) => c.startsWith(cookie)), [], target);
            assert.ok(Date.now() - begun < 6000, target);
        }
        const out = await b.signOut();
        assert.strictEqual(out.status, 503);
        assert.ok(b.jar.get(cookie));
        const elsewhere = browserOf(site);
        assert.strictEqual((await elsewhere.get("/")).status, 200);
    }
    const recovers = async () => {
        assert.strictEqual((await b.get("/private")).status, 200);
        assert.strictEqual((await b.session()).user.name, provider.user.name);
    };

    test("deleted under us: 503, no new and empty store, and back when it is back", async () => {
        rows(site.file, "PRAGMA wal_checkpoint(TRUNCATE)");
        const away = fs.mkdtempSync(path.join(site.prefix, "away"));
        for (const tail of ["", "-wal", "-shm"]) if (fs.existsSync(site.file + tail)) fs.renameSync(site.file + tail, path.join(away, `db${tail}`));
        await unavailable();
        assert.ok(!fs.existsSync(site.file));
        fs.copyFileSync(path.join(away, "db"), site.file);
        await recovers();
    });

    test("not a database any more: 503, and back when it is repaired", async () => {
        rows(site.file, "PRAGMA wal_checkpoint(TRUNCATE)");
        const good = fs.readFileSync(site.file);
        fs.writeFileSync(site.file, Buffer.alloc(good.length, 0xa5));
        await unavailable();
        fs.writeFileSync(site.file, good);
        await recovers();
    });

    // While nothing can be written: sessions are known, nothing new is promised, nobody else waits.
    async function cannotBeWritten({ readable = true } = {}) {
        const rs = await b.get("/private");
        assert.strictEqual(rs.status, readable ? 200 : 503);
        somebody();
        const before = [count(site.file, "user"), count(site.file, "account"), count(site.file, "session")];
        const x = browserOf(site), begun = Date.now();
        const consent = await x.consent((await x.start("forge")).location);
        let slowest = 0, over = false;
        const back = x.back(consent).finally(() => { over = true; });
        while (!over) {
            const asked = performance.now();
            assert.strictEqual((await browserOf(site).get("/index.html")).status, 200);
            slowest = Math.max(slowest, performance.now() - asked);
        }
        const answer = await back;
        assert.ok(Date.now() - begun < 6000, "a hang");
        assert.ok(slowest < 1000, `others waited ${slowest} ms`);
        assert.strictEqual(answer.status, 503);
        assert.ok(answer.headers["retry-after"]);
        assert.strictEqual(x.jar.get(cookie), undefined);
        const out = await b.signOut();
        assert.strictEqual(out.status, 503);
        assert.ok(b.jar.get(cookie), "a sign-out that did not happen is not claimed");
        assert.deepStrictEqual([count(site.file, "user"), count(site.file, "account"), count(site.file, "session")], before);
        return async () => {
            const again = browserOf(site);
            await again.signIn("forge");
            assert.strictEqual((await again.session()).user.email, provider.user.email.toLowerCase());
            assert.strictEqual(integrity(site.file), "ok");
        };
    }
    async function signedInOn(another) {
        site = another;
        somebody();
        b = browserOf(site);
        await b.signIn("forge");
        return provider.user;
    }

    test("locked by another process: nothing waits for longer than its patience", async () => {
        const db = new Database(site.file);
        db.exec("BEGIN IMMEDIATE");
        const works = await cannotBeWritten();
        db.exec("ROLLBACK");
        db.close();
        await works();
    });

    test("read-only for the workers: sessions are known, nothing is written", { skip: process.getuid() !== 0 && "needs root: workers must be somebody else" }, async () => {
        const first = site, its = b;
        try {
            await signedInOn(await storeSite({ provider, main: "user www-data;", adapter: "sqlite {{prefix}}/var/db/auth.db", session: "auth_js_session cache=off;" }));
            site.file = path.join(site.prefix, "var/db/auth.db");
            const folder = path.dirname(site.file), { uid, gid } = fs.statSync(folder);
            const give = (to, group) => { for (const name of [folder, ...fs.readdirSync(folder).map((n) => path.join(folder, n))]) fs.chownSync(name, to, group); };
            site.signal("SIGQUIT");
            await site.exited;
            site.exit = undefined;
            rows(site.file, "PRAGMA journal_mode = DELETE");
            give(0, 0);
            fs.chmodSync(folder, 0o755);
            for (const name of fs.readdirSync(folder)) fs.chmodSync(path.join(folder, name), 0o444);
            await site.start();
            const works = await cannotBeWritten();
            give(uid, gid);
            fs.chmodSync(folder, 0o700);
            for (const name of fs.readdirSync(folder)) fs.chmodSync(path.join(folder, name), 0o600);
            await works();
        } finally {
            if (site !== first) await site.stop();
            [site, b] = [first, its];
        }
    });

    test("a full disk: sessions are known, nothing is half written, and on it goes when there is room", async (t) => {
        const disk = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-disk-"));
        if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", disk]).status !== 0) return t.skip("no file system of one's own");
        const first = site, its = b;
        try {
            await signedInOn(await storeSite({ provider, adapter: `sqlite ${disk}/db/auth.db`, session: "auth_js_session cache=off;" }));
            site.file = path.join(disk, "db/auth.db");
            const filler = fs.openSync(path.join(disk, "filler"), "w");
            for (const size of [4096, 1]) try { for (;;) fs.writeSync(filler, Buffer.alloc(size)); } catch (e) { assert.strictEqual(e.code, "ENOSPC"); }
            // What the write-ahead log has room for is written still.
            const log = fs.statSync(`${site.file}-wal`).size;
            assert.ok(log > 0);
            const works = await cannotBeWritten();
            fs.closeSync(filler);
            fs.rmSync(path.join(disk, "filler"));
            await works();
        } finally {
            if (site !== first) await site.stop();
            [site, b] = [first, its];
            spawnSync("umount", ["-l", disk]);
            fs.rmdirSync(disk);
        }
    });

    test("the first sign-in while the file cannot be had leaves no half user, and works afterwards", async () => {
        const away = `${site.file}.away`;
        rows(site.file, "PRAGMA wal_checkpoint(TRUNCATE)");
        for (const tail of ["-wal", "-shm"]) fs.rmSync(site.file + tail, { force: true });
        fs.renameSync(site.file, away);
        const who = somebody();
        const { callback } = await browserOf(site).signIn("forge").catch(() => ({ callback: null })) ?? {};
        if (callback) assert.ok(callback.status === 503 || /error=/.test(callback.location));
        fs.renameSync(away, site.file);
        const fresh = browserOf(site);
        await fresh.signIn("forge");
        assert.strictEqual((await fresh.session()).user.email, who.email.toLowerCase());
        assert.strictEqual(integrity(site.file), "ok");
    });
});

test("the folder is made for the workers, private; an existing one is left alone; nginx -t opens nothing", { skip: process.getuid() !== 0 && "needs root: workers must be somebody else" }, async (t) => {
    const site = await storeSite({ provider, main: "user www-data;", adapter: "sqlite {{prefix}}/var/auth_js/auth.db" });
    t.after(() => site.stop());
    site.file = path.join(site.prefix, "var/auth_js/auth.db");
    somebody();
    const b = browserOf(site);
    await b.signIn("forge");
    assert.strictEqual((await b.get("/private")).status, 200);
    const folder = fs.statSync(path.dirname(site.file)), file = fs.statSync(site.file);
    const passwd = fs.readFileSync("/etc/passwd", "utf8");
    const uid = Number(/^www-data:[^:]*:(\d+)/m.exec(passwd)[1]);
    assert.deepStrictEqual([folder.mode & 0o777, folder.uid, file.mode & 0o777, file.uid], [0o700, uid, 0o600, uid]);
    for (const tail of ["-wal", "-shm"]) if (fs.existsSync(site.file + tail)) assert.strictEqual(fs.statSync(site.file + tail).mode & 0o777, 0o600);

    fs.chmodSync(path.dirname(site.file), 0o750);
    await site.reload();
    assert.strictEqual(fs.statSync(path.dirname(site.file)).mode & 0o777, 0o750);
    const conf = path.join(site.prefix, "conf/nginx.conf");
    fs.writeFileSync(conf, fs.readFileSync(conf, "utf8").replace("/var/auth_js/", "/never/made/"));
    assert.ok(testConfig(site.prefix).ok);
    assert.ok(!fs.existsSync(path.join(site.prefix, "never")));
});

test("sign-out through one worker, the very next request through the other is refused", async (t) => {
    const rounds = Number(process.env.STORE_ROUNDS ?? 10_000);
    const site = await storeSite({
        provider, workers: 2, session: "auth_js_session cache=1h;", level: "warn",
        more: "location = /pid { return 200 $pid; } keepalive_requests 1000000;",
    });
    t.after(() => site.stop());
    somebody();
    const b = browserOf(site);
    await b.signIn("forge");
    const [{ userId }] = rows(site.file, "SELECT userId FROM session");
    const csrfToken = await b.csrf();
    const csrf = b.jar.of(new URL(site.origin)).filter((c) => c.name.includes("csrf")).map((c) => `${c.name}=${c.value}`).join("; ");

    // One kept-alive connection to each worker.
    const ask = (agent, target, { method = "GET", headers = {}, body } = {}) => new Promise((done, failed) => {
        const rq = http.request(site.origin + target, { agent, method, headers: { ...headers, ...(body && { "content-type": "application/x-www-form-urlencoded", "content-length": body.length }) } }, (rs) => {
            let text = "";
            rs.on("data", (d) => { text += d; }).on("end", () => done({ status: rs.statusCode, text, headers: rs.headers }));
        });
        rq.on("error", failed).end(body);
    });
    const agents = new Map();
    for (let tries = 0; agents.size < 2 && tries < 500; tries++) {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const { text } = await ask(agent, "/pid");
        if (agents.has(text)) agent.destroy();
        else agents.set(text, agent);
    }
    assert.strictEqual(agents.size, 2, "both workers were reached");
    const [one, two] = agents.values();
    t.after(() => { one.destroy(); two.destroy(); });

    // One that is signed out first and asked for again last, when the zone has long forgotten it; and
    // one that stays.
    const held = (name) => ({ headers: { cookie: `${cookie}=${name}; ${csrf}` } });
    const signOut = (name) => ask(one, "/auth/signout", { ...held(name), method: "POST", body: `csrfToken=${csrfToken}` });
    rows(site.file, `INSERT INTO session (sessionToken, userId, expires) VALUES ('first', '${userId}', ${Date.now() + 30 * day}), ('stays', '${userId}', ${Date.now() + 30 * day})`);
    for (const name of ["first", "stays"]) assert.strictEqual((await ask(two, "/private", held(name))).status, 200);
    assert.strictEqual((await signOut("first")).status, 302);

    let passes = 0;
    for (let from = 0; from < rounds; from += 1000) {
        const n = Math.min(1000, rounds - from);
        const values = Array.from({ length: n }, (_, i) => `('round-${from + i}', '${userId}', ${Date.now() + 30 * day})`);
        rows(site.file, `INSERT INTO session (sessionToken, userId, expires) VALUES ${values.join()}`);
        for (let i = from; i < from + n; i++) {
            const name = `round-${i}`;
            assert.strictEqual((await ask(two, "/private", held(name))).status, 200);
            assert.strictEqual((await signOut(name)).status, 302);
            passes += (await ask(two, "/private", held(name))).status === 200;
        }
    }
    assert.strictEqual(passes, 0);
    assert.notStrictEqual((await ask(two, "/private", held("first"))).status, 200);
    assert.strictEqual((await ask(two, "/private", held("stays"))).status, 200);
    t.diagnostic(`${rounds} rounds, ${passes} passes`);
});

test("housekeeping removes what expired and keeps the rest", async (t) => {
    const site = await storeSite({ provider, workers: 2 });
    t.after(() => site.stop());
    somebody();
    const b = browserOf(site);
    await b.signIn("forge");
    const [{ userId }] = rows(site.file, "SELECT userId FROM session");
    for (let i = 0; i < 300; i++) rows(site.file, "INSERT INTO session VALUES (?, ?, ?)", `old-${i}`, userId, Date.now() - 1000 - i);
    rows(site.file, "INSERT INTO verificationToken VALUES ('a@example.com', 'hash', ?)", Date.now() - 1);
    const from = site.log.length, batches = [];
    for (const end = Date.now() + 30_000; count(site.file, "session") > 1 || count(site.file, "verificationToken") > 0;) {
        assert.ok(Date.now() < end, `${count(site.file, "session")} sessions are left`);
        batches.push(count(site.file, "session"));
        await new Promise((r) => setTimeout(r, 200));
    }
    // By one worker, some at a time.
    const sweepers = [...site.log.slice(from).matchAll(/ (\d+)#\d+: auth_js: await \(store\)/g)].map((m) => m[1]);
    assert.strictEqual(new Set(sweepers).size, 1, sweepers.join());
    assert.ok(sweepers.length >= 2 && batches.some((n) => n > 1 && n < 300), `${sweepers.length} batches: ${batches}`);
    assert.strictEqual((await b.get("/private")).status, 200);
});
