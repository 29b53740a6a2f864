// A first sign-in, a second provider and a magic link, cut off at every moment of their last request:
// the client goes, the worker is killed, all of nginx is killed. After each: the file is whole, nobody
// is without an account or a verified address, nothing that was committed is lost, and the same person
// gets in [sec 102, 110].
import assert from "node:assert";
import { after, before, test } from "node:test";

import { startMail } from "../lib/mail.mjs";
import { startProvider } from "../lib/provider.mjs";
import { browserOf, integrity, oauthBlock, rows, storeSite } from "../lib/store.mjs";

const rounds = Number(process.env.KILLS ?? 306);
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const cookie = "authjs.session-token";

let provider, mail, site;
before(async () => {
    [provider, mail] = [await startProvider({ oidc: false }), await startMail()];
    site = await storeSite({
        provider, session: "auth_js_session cache=off;",
        providers: oauthBlock(provider, "forge") + oauthBlock(provider, "other") + `auth_js_provider nodemailer { server smtp://127.0.0.1:${mail.port}; from no-reply@example.com; }`,
    });
});
after(async () => { await provider.close(); await mail.close(); await site.stop(); });

// Each prepares somebody and answers the last request of the flow and how that person comes in later.
const flows = {
    async first(n) {
        provider.user = { sub: `first-${n}`, name: "First", email: `first-${n}@example.com` };
        const b = browserOf(site);
        const consent = await b.consent((await b.start("forge")).location);
        return { last: (signal) => b.back(consent, { signal }), email: provider.user.email, again: (x) => x.signIn("forge") };
    },
    async second(n) {
        const email = `second-${n}@example.com`;
        provider.user = { sub: `one-${n}`, name: "Second", email };
        const b = browserOf(site);
        await b.signIn("forge");
        provider.user = { sub: `two-${n}`, name: "Second", email: `elsewhere-${n}@example.com` };
        const consent = await b.consent((await b.start("other")).location);
        return {
            last: (signal) => b.back(consent, { signal }), email,
            async again(x) {
                x.jar = b.jar;                      // signed in as before, with or without the second account
                await x.signIn("other");
            },
        };
    },
    async link(n) {
        const email = `link-${n}@example.com`;
        const ask = async () => {
            const letter = mail.next();
            await browserOf(site).start("nodemailer", { form: { email } });
            return (await letter).link;
        };
        const link = await ask();
        return { last: (signal) => browserOf(site).get(link, { signal }), email, again: async (x) => x.get(await ask()) };
    },
};

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
    for (const end = Date.now() + 10_000; ;) {
        try { return await browserOf(site).get("/index.html"); } catch (e) { if (Date.now() > end) throw e; await sleep(10); }
    }
}

test("cut off at every moment", async (t) => {
    const took = {};
    for (const name of Object.keys(flows)) {
        const f = await flows[name](`warm-${name}`);
        const begun = performance.now();
        await f.last();
        took[name] = performance.now() - begun;
    }
    const known = new Set();
    let done = 0, kills = 0;
    for (; done < rounds; done++) {
        const name = Object.keys(flows)[done % 3], how = Object.keys(ends)[Math.floor(done / 3) % 3];
        const f = await flows[name](done);
        const cut = new AbortController();
        const answer = f.last(cut.signal).then((rs) => rs.location, () => "cut off");
        await sleep(took[name] * 1.3 * ((done * 0.618034) % 1));
        await ends[how](cut);
        kills++;
        const location = await answer;
        await up();

        const say = `round ${done}: ${name}, ${how}, ${location}`;
        assert.strictEqual(integrity(site.file), "ok", say);
        assert.deepStrictEqual(rows(site.file, "SELECT email FROM user u WHERE emailVerified IS NULL AND NOT EXISTS (SELECT 1 FROM account a WHERE a.userId = u.id)"), [], say);
        assert.deepStrictEqual(rows(site.file, "SELECT email, count(*) AS n FROM user GROUP BY email HAVING n > 1"), [], say);
        const users = new Set(rows(site.file, "SELECT id FROM user").map((r) => r.id));
        for (const id of known) assert.ok(users.has(id), `${say}: a user is lost`);
        for (const id of users) known.add(id);

        const x = browserOf(site);
        await f.again(x);
        assert.strictEqual((await x.session())?.user.email, f.email, say);
        assert.ok(x.jar.get(cookie), say);
    }
    t.diagnostic(`${kills} kills`);
    assert.ok(kills >= rounds);
});
