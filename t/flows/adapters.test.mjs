// Cross-reading: one SQLite file, used in turn by the real JavaScript adapter and by the module, with
// nothing lost either way.
import assert from "node:assert";
import crypto from "node:crypto";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { makeTables, openers } from "../lib/adapters.mjs";
import { startMail } from "../lib/mail.mjs";
import { startProvider } from "../lib/provider.mjs";
import { browserOf, integrity, oauthBlock, secret, storeSite } from "../lib/store.mjs";

const cookie = "authjs.session-token";
const hash = (token) => crypto.createHash("sha256").update(token + secret).digest("hex");
const ms = (t) => (t === null || t === undefined ? null : new Date(t).getTime());
const verified = new Date("2024-02-29T12:34:56.789Z");

let provider, mail;
before(async () => { [provider, mail] = [await startProvider({ oidc: false }), await startMail()]; });
after(async () => { await provider.close(); await mail.close(); });

for (const [name, open] of Object.entries(openers))
    describe(name, () => {
        let site, node, file;
        before(async () => {
            site = await storeSite({
                provider, adapter: `${name} sqlite:{{prefix}}/db/auth.db`, session: "auth_js_session cache=off; auth_js_callback session jq .session;",
                providers: oauthBlock(provider, "forge") + `auth_js_provider nodemailer { server smtp://127.0.0.1:${mail.port}; from no-reply@example.com; }`,
            });
            file = path.join(site.prefix, "db/auth.db");
            makeTables(file, name);
            node = await open(file);
        });
        after(async () => {
            await node.close();
            assert.strictEqual(integrity(file), "ok");
            await site.stop();
        });

        test("what Node wrote signs in here", async () => {
            const { adapter } = node;
            const user = await adapter.createUser({ id: crypto.randomUUID(), name: 'Zoë "Q" O\'Néill 日本 🚀 \\', email: "zoe.o'neill@example.com", emailVerified: verified, image: "https://img.example/a.png?x=1&y=2" });
            await adapter.linkAccount({ userId: user.id, type: "oauth", provider: "forge", providerAccountId: "zoe", access_token: "at", expires_at: 1893456000, token_type: "bearer", scope: "a b" });
            const expires = new Date(Date.now() + 29.5 * 86_400_000);
            await adapter.createSession({ sessionToken: "from-node", userId: user.id, expires });
            await adapter.createVerificationToken({ identifier: "zoe.o'neill@example.com", token: hash("t0ken"), expires: new Date(Date.now() + 60_000) });

            // The session.
            const held = browserOf(site, { headers: { cookie: `${cookie}=from-node` } });
            const { user: seen } = await held.session();
            assert.deepStrictEqual([seen.name, seen.email, seen.image], [user.name, user.email, user.image]);
            assert.strictEqual((await held.get("/private")).headers["x-user"].split("|")[0], String(user.id));
            // The account.
            provider.user = { sub: "zoe", name: "changed", email: "elsewhere@example.com" };
            const b = browserOf(site);
            await b.signIn("forge");
            assert.strictEqual((await b.session()).user.email, user.email);
            // The letter's link.
            const link = browserOf(site);
            const done = await link.get(link.route("callback/nodemailer?") + new URLSearchParams({ callbackUrl: `${site.origin}/`, token: "t0ken", email: "zoe.o'neill@example.com" }));
            assert.strictEqual(done.location, `${site.origin}/`);
            assert.strictEqual((await link.session()).user.email, user.email);
            assert.strictEqual(await adapter.useVerificationToken({ identifier: "zoe.o'neill@example.com", token: hash("t0ken") }), null);
            const after = await adapter.getUserByEmail("zoe.o'neill@example.com");
            assert.ok(Math.abs(ms(after.emailVerified) - Date.now()) < 60_000);
            // Sign-out here ends it there.
            await held.get("/auth/csrf");
            held.headers = {};
            held.jar.set(new URL(site.origin), `${cookie}=from-node; Path=/`);
            assert.strictEqual((await held.signOut()).status, 302);
            assert.strictEqual(await adapter.getSessionAndUser("from-node"), null);
        });

        test("what was written here is read by Node", async () => {
            const { adapter } = node;
            provider.user = { sub: "grace", name: "Grace Hopper 🚢", email: "Grace@Example.com", picture: "https://img.example/g.png" };
            const b = browserOf(site);
            await b.signIn("forge");
            const token = b.jar.get(cookie);
            const user = await adapter.getUserByEmail("grace@example.com");
            assert.deepStrictEqual([user.name, user.image, ms(user.emailVerified)], ["Grace Hopper 🚢", "https://img.example/g.png", null]);
            assert.strictEqual((await adapter.getUserByAccount({ provider: "forge", providerAccountId: "grace" })).id, user.id);
            assert.strictEqual((await adapter.getUser(user.id)).email, "grace@example.com");
            const both = await adapter.getSessionAndUser(token);
            assert.strictEqual(both.user.id, user.id);
            assert.ok(Math.abs(ms(both.session.expires) - Date.now() - 30 * 86_400_000) < 60_000);
            // The session callback is told what Node's would be: row ids and time stamps too.
            const told = await b.session(), plain = JSON.parse(JSON.stringify(both));
            for (const [here, there] of [[told, plain.session], [told.user, plain.user]])
                for (const [name, value] of Object.entries(there)) assert.ok(name in here && (String(here[name]) === String(value) || ms(here[name]) === ms(value)), `${name}: ${here[name]} for ${value}`);
            // Node renews, the module sees it; Node signs out, the module refuses.
            const later = new Date(Date.now() + 30 * 86_400_000 + 1234);
            await adapter.updateSession({ sessionToken: token, expires: later });
            assert.strictEqual(ms((await b.session()).expires), later.getTime());
            await adapter.deleteSession(token);
            assert.strictEqual((await b.get("/private", { headers: { accept: "*/*" } })).status, 401);

            // A link that is spent there.
            const letter = mail.next();
            await browserOf(site).start("nodemailer", { form: { email: "new@example.com" } });
            const t = new URL((await letter).link).searchParams.get("token");
            const used = await adapter.useVerificationToken({ identifier: "new@example.com", token: hash(t) });
            assert.ok(Math.abs(ms(used.expires) - Date.now() - 86_400_000) < 60_000);
            const late = await browserOf(site).get((await letter).link);
            assert.strictEqual(new URL(late.location).searchParams.get("error"), "Verification");
        });
    });

// Connections that an adapter knits for itself would keep the process.
after(() => { setTimeout(() => process.exit(), 1000).unref(); });
