// A first sign-in, a second provider, a letter, magic links for somebody new and for somebody who is
// signed in as another: their last request cut off at each of its awaits, of the network as of the
// store, there before and after every statement. The client goes, the worker is killed, all of nginx is
// killed. After each: the file is whole, nobody is without an account or a verified address, nothing
// that was committed is lost, no sign-in is half there, and the same person gets in [sec 53, 102, 110].
import assert from "node:assert";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { modulePath } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";
import { browserOf, integrity, oauthBlock, rows, storeSite } from "../lib/store.mjs";

const further = Number(process.env.KILLS ?? 45);    // at random times, beside those at each await
const patience = process.env.AUTH_JS_CHECKED ? 10 : 1;
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const cookie = "authjs.session-token";

let provider, kills = 0;
before(async () => { provider = await startProvider({ oidc: false }); });
after(async () => { await provider.close(); });

for (const strategy of ["database", "jwt"])
    describe(`strategy=${strategy}`, () => {
        const stored = strategy === "database";
        const halt = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-halt-"));
        const at = (name) => path.join(halt, name);
        let site, letter;
        before(async () => {
            site = await storeSite({
                provider, session: `auth_js_session strategy=${strategy} cache=off;`,
                env: { LD_PRELOAD: path.resolve(path.dirname(modulePath), "tools/halting_sqlite.so"), AUTH_JS_HALT: halt },
                providers: oauthBlock(provider, "forge") + oauthBlock(provider, "other") + "auth_js_provider nodemailer { send uri /ask/letter; }",
                more: `auth_js_debug on; auth_js_callback sign_in uri /ask/sign_in; auth_js_callback jwt uri /ask/jwt;
                    location /ask/ { internal; proxy_pass ${provider.origin}; }`,
            });
            provider.reset();
            answerAll(() => {});
        });
        after(async () => { await site.stop(); fs.rmSync(halt, { recursive: true }); });

        // --- What the flows ask the provider, and where one of them can be held --------------------

        const awaited = () => provider.requests.filter((r) => r.role !== "authorize");
        const asked = {
            "/ask/sign_in": () => ({ status: 200, json: true }),
            "/ask/jwt": (request) => ({ status: 200, json: JSON.parse(request.body).token }),
            "/ask/letter": (request) => { letter = JSON.parse(request.body); return { status: 202 }; },
        };
        function answerAll(held) {
            for (const role of ["token", "userinfo", "other"])
                provider.answer(role, (request) => ({ ...(asked[request.path]?.(request) ?? {}), ...held(request) }));
        }

        // hold: the next request waits at its k-th await of the network, or the s-th step of a write
        // (both count from now on). Answers { reached, release }.
        function hold({ network, step = 0 }) {
            let reach, release;
            const reached = new Promise((done) => { reach = done; }), released = new Promise((done) => { release = done; });
            provider.reset();
            answerAll(() => (awaited().length === network ? (reach(), { after: released }) : {}));
            for (const name of ["steps", "halted"]) fs.rmSync(at(name), { force: true });
            fs.writeFileSync(at("at"), String(step));
            let watching = step > 0;
            const watch = async () => { while (watching && !fs.existsSync(at("halted"))) await sleep(2); if (watching) reach(); };
            watch();
            return { reached, release() { watching = false; fs.writeFileSync(at("at"), "0"); release(); } };
        }
        const steps = () => (fs.existsSync(at("steps")) ? fs.readFileSync(at("steps"), "utf8") : "");

        // --- The flows -------------------------------------------------------------------------------
        // Each prepares somebody and answers the last request; whether all that it writes is there, or
        // nothing of it; and how that person comes in later.

        const one = (sql, ...values) => Number(rows(site.file, `SELECT count(*) AS n FROM ${sql}`, ...values)[0].n);
        const userOf = "(SELECT id FROM user WHERE email = ?)";
        const linkFor = async (email) => {
            letter = undefined;
            const rs = await browserOf(site).start("nodemailer", { form: { email } });
            assert.ok(letter, rs.location);
            return letter.url;
        };
        const flows = {
            async first(n) {
                const email = `first-${n}@example.com`;
                provider.user = { sub: `first-${n}`, name: "First", email };
                const b = browserOf(site);
                const consent = await b.consent((await b.start("forge")).location);
                const parts = () => [one("user WHERE email = ?", email), one(`account WHERE userId = ${userOf}`, email), ...(stored ? [one(`session WHERE userId = ${userOf}`, email)] : [])];
                return { email, last: (signal) => b.back(consent, { signal }), parts, again: (x) => x.signIn("forge") };
            },
            async second(n) {
                const email = `second-${n}@example.com`;
                provider.user = { sub: `one-${n}`, name: "Second", email };
                const b = browserOf(site);
                await b.signIn("forge");
                provider.user = { sub: `two-${n}`, name: "Second", email: `elsewhere-${n}@example.com` };
                const consent = await b.consent((await b.start("other")).location);
                return {
                    email, last: (signal) => b.back(consent, { signal }), parts: () => [one("account WHERE providerAccountId = ?", `two-${n}`)],
                    async again(x) {
                        x.jar = b.jar;                      // signed in as before, with or without the second account
                        await x.signIn("other");
                    },
                };
            },
            async letter(n) {
                const email = `letter-${n}@example.com`;
                const b = browserOf(site), csrfToken = await b.csrf();
                letter = undefined;
                return {
                    email, last: (signal) => b.post(b.route("signin/nodemailer"), { csrfToken, email }, { signal }),
                    parts: () => [one("verificationToken WHERE identifier = ?", email)],
                    again: async (x) => x.get(await linkFor(email)),
                };
            },
            async link(n) {
                const email = `link-${n}@example.com`;
                const link = await linkFor(email);
                const parts = () => [one("user WHERE email = ? AND emailVerified > 0", email), ...(stored ? [one(`session WHERE userId = ${userOf}`, email)] : [])];
                return { email, last: (signal) => browserOf(site).get(link, { signal }), parts, again: async (x) => x.get(await linkFor(email)) };
            },
            async known(n) {
                const email = `known-${n}@example.com`;
                provider.user = { sub: `known-${n}`, name: "Known", email };
                await browserOf(site).signIn("forge");
                provider.user = { sub: `guest-${n}`, name: "Guest", email: `guest-${n}@example.com` };
                const b = browserOf(site);
                await b.signIn("forge");
                const link = await linkFor(email);
                // One statement after the other, as Auth.js has it: none of them alone is half a sign-in.
                const parts = () => [one("user WHERE email = ? AND emailVerified > 0", email)];
                return { email, ends: b.jar.get(cookie), last: (signal) => b.get(link, { signal }), parts, again: async (x) => x.get(await linkFor(email)) };
            },
        };

        // --- The kills -------------------------------------------------------------------------------

        const ends = {
            async client(cut) { cut.abort(); },
            async worker() { site.kill(site.workers[0]); },
            async all() {
                const [master, workers] = [site.pid, site.workers];
                process.kill(master, "SIGKILL");
                for (const w of workers) try { process.kill(w, "SIGKILL"); } catch { /* gone with it */ }
                await site.exited;
                site.exit = undefined;
                await site.start();
            },
        };
        // A worker that was killed is there again when somebody answers.
        async function up() {
            for (const end = Date.now() + patience * 10_000; ;) {
                try { return await browserOf(site).get("/index.html"); } catch (e) { if (Date.now() > end) throw e; await sleep(10); }
            }
        }

        const known = new Map();                           // what was seen in the tables and may not go
        const ending = new Set();                          // sessions that a link ends, at once or without its client
        function nothingLost(say) {
            assert.strictEqual(integrity(site.file), "ok", say);
            assert.deepStrictEqual(rows(site.file, "SELECT email FROM user u WHERE emailVerified IS NULL AND NOT EXISTS (SELECT 1 FROM account a WHERE a.userId = u.id)"), [], say);
            assert.deepStrictEqual(rows(site.file, "SELECT email, count(*) AS n FROM user GROUP BY email HAVING n > 1"), [], say);
            for (const [table, key] of [["user", "id"], ["account", "providerAccountId"], ["session", "sessionToken"]]) {
                const there = new Set(rows(site.file, `SELECT ${key} AS k FROM ${table}`).map((r) => r.k));
                for (const k of known.get(table) ?? []) assert.ok(there.has(k) || ending.has(k), `${say}: a row of ${table} is lost: ${k}`);
                known.set(table, there);
            }
        }

        // round: one kill, and what must be so afterwards. `when(last)`: comes to the moment of it, and
        // answers what lets go of the flow; `goesOn`: whether a flow whose client leaves must end well.
        async function round(name, how, n, when, { goesOn = false, dropped = false, written } = {}) {
            const f = await flows[name](`${strategy}-${n}`);
            ending.add(f.ends);
            const cut = new AbortController();
            const { moment, release } = when();
            const answer = f.last(cut.signal).then((rs) => rs.location, () => "cut off");
            await Promise.race([moment, answer]);
            await ends[how](cut);
            release();
            kills++;
            const location = await answer;
            await up();
            const say = `${strategy}, ${name}, ${how}, ${n}: ${location}`;
            const all = () => f.parts().every((n) => n === 1);
            if (how === "client" && goesOn)
                for (const end = Date.now() + patience * 5000; !all(); await sleep(10)) assert.ok(Date.now() < end, `${say}: what was begun did not end: ${f.parts()}`);
            if (how === "client" && dropped) assert.deepStrictEqual((await sleep(50), f.parts()), [0], `${say}: not dropped`);
            // A client that left lets the rest be written at any time: one look has to see all or nothing.
            if (how !== "client") {
                const parts = f.parts();
                assert.ok(new Set(parts).size === 1, `${say}: half is there: ${parts}`);
                if (written !== undefined) assert.strictEqual(parts[0], written, `${say}: committed or not`);
            }
            nothingLost(say);

            provider.reset();
            answerAll(() => {});
            const x = browserOf(site);
            await f.again(x);
            assert.strictEqual((await x.session())?.user.email, f.email, say);
            assert.ok(x.jar.get(cookie), say);
        }

        for (const name of Object.keys(flows))
            test(`${name}: cut off at each await`, async (t) => {
                // Once without: what it awaits. The log counts the same.
                await (await flows[name](`${strategy}-warm`)).last();
                const f = await flows[name](`${strategy}-count`);
                const from = site.log.length;
                const { release } = hold({});
                await f.last();
                release();
                const network = awaited().length, taken = steps();
                const noted = site.log.slice(from).match(/auth_js: await/g).length;
                assert.strictEqual(noted, network + taken.split("B").length - 1, `${noted} awaits in the log, ${network} of the network, ${taken} in the store`);
                assert.match(taken, /^(BW+CD)+$/);
                t.diagnostic(`${strategy}, ${name}: ${network} requests, ${taken}`);

                let n = 0;
                const points = [...Array.from({ length: network }, (_, i) => ({ network: i + 1 })), ...Array.from(taken, (_, i) => ({ step: i + 1 }))];
                for (const point of points)
                    for (const how of Object.keys(ends)) {
                        const when = () => {
                            const held = hold(point);
                            return { moment: held.reached, release: () => held.release() };
                        };
                        // A letter is not begun before the sign_in callback has answered.
                        const early = name === "letter" && point.network === 1;
                        // The row that tells is written by the transaction that is the last, but for `known`.
                        const last = name === "known" ? undefined : taken.lastIndexOf("D") + 1;
                        await round(name, how, `${Object.keys(point)}-${Object.values(point)}-${++n}`, when, {
                            goesOn: !early, dropped: early,
                            written: point.step && last ? Number(point.step === last) : undefined,
                        });
                    }
            });

        test("cut off at any time", async () => {
            const took = {};
            for (const name of Object.keys(flows)) {
                const f = await flows[name](`${strategy}-timed`);
                const begun = performance.now();
                await f.last();
                took[name] = performance.now() - begun;
            }
            for (let i = 0; i < further / 2; i++) {
                const name = Object.keys(flows)[i % 5], how = Object.keys(ends)[Math.floor(i / 5) % 3];
                await round(name, how, `any-${i}`, () => ({ moment: sleep(took[name] * 1.3 * ((i * 0.618034) % 1)), release() {} }));
            }
        });
    });

after(() => {
    console.log(`${kills} kills`);
    assert.ok(process.env.KILLS !== undefined || kills >= 300, `${kills} kills`);
});
