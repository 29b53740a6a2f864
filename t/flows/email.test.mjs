// Magic links: the letter, the link, and mail servers with bad manners (spec/flows.md section 7).
import assert from "node:assert";
import crypto from "node:crypto";
import http from "node:http";
import { after, before, describe, test } from "node:test";

import { certificate, startMail, startRude } from "../lib/mail.mjs";
import { startProvider } from "../lib/provider.mjs";
import { browserOf, count, integrity, oauthBlock, rows, secret, storeSite } from "../lib/store.mjs";

const day = 86_400_000;
const cookie = "authjs.session-token";
const mailBlock = (port, more = "", scheme = "smtp") => `
    auth_js_provider nodemailer { server ${scheme}://mailer:hunter2@127.0.0.1:${port}; from "Example <no-reply@example.com>"; ${more} }`;
const errorOf = (rs) => new URL(rs.location).searchParams.get("error");

let people = 0;
const address = () => `person-${++people}@example.com`;
const ask = (b, email, options) => b.start("nodemailer", { form: { email }, ...options });
async function linkFor(b, mail, email) {
    const letter = mail.next();
    const rs = await ask(b, email);
    assert.match(rs.location, /\/auth\/verify-request\?provider=nodemailer&type=email$/);
    return (await letter).link;
}

let provider, mail;
before(async () => {
    provider = await startProvider({ oidc: false });
    mail = await startMail();
});
after(async () => { await provider.close(); await mail.close(); });

describe("magic links", () => {
    let site;
    before(async () => {
        site = await storeSite({ provider, workers: 2, session: "auth_js_session cache=off;", providers: oauthBlock(provider, "forge") + mailBlock(mail.port) });
    });
    after(() => site.stop());

    test("the letter arrives, its link signs in, once, in any browser", async () => {
        const b = browserOf(site), email = address();
        const letter = mail.next();
        const rs = await ask(b, email.toUpperCase(), { callbackUrl: `${site.origin}/private` });
        assert.strictEqual((await b.get(rs.location)).status, 200);
        const { from, to, headers, text, html, link, user } = await letter;
        assert.deepStrictEqual([from, to, user], ["no-reply@example.com", [email], "mailer"]);
        assert.strictEqual(headers.subject, `Sign in to 127.0.0.1:${site.port}`);
        assert.ok(text.includes(link) && html.includes(`href="${link}"`));
        const token = new URL(link).searchParams.get("token");
        assert.match(token, /^[0-9a-f]{64}$/);
        const [row] = rows(site.file, "SELECT * FROM verificationToken WHERE identifier = ?", email);
        assert.strictEqual(row.token, crypto.createHash("sha256").update(token + secret).digest("hex"));
        assert.ok(Math.abs(Number(row.expires) - Date.now() - day) < 60_000);
        site.plant(token);

        const head = await browserOf(site).request("HEAD", link);
        assert.notStrictEqual(head.status, 302, "HEAD spends nothing [sec 91]");
        const elsewhere = browserOf(site);
        const done = await elsewhere.get(link);
        assert.strictEqual(done.location, `${site.origin}/private`);
        assert.strictEqual((await elsewhere.session()).user.email, email);
        const [stored] = rows(site.file, "SELECT * FROM user WHERE email = ?", email);
        assert.ok(Math.abs(Number(stored.emailVerified) - Date.now()) < 60_000);
        assert.strictEqual(rows(site.file, "SELECT count(*) AS n FROM account WHERE userId = ?", stored.id)[0].n, 0);

        const again = browserOf(site);
        assert.strictEqual(errorOf(await again.get(link)), "Verification");
        assert.strictEqual(await again.session(), null);
    });

    test("used twice in parallel on two workers: exactly one session [sec 91]", async () => {
        for (let round = 0; round < 10; round++) {
            const link = await linkFor(browserOf(site), mail, address());
            const pair = Array.from({ length: 4 }, () => browserOf(site));
            const done = await Promise.all(pair.map((b) => b.get(link)));
            assert.strictEqual(done.filter((d) => d.location === `${site.origin}/`).length, 1);
            assert.strictEqual(done.filter((d) => errorOf(d) === "Verification").length, 3);
        }
    });

    test("expired, another address, no address, no token: refused", async () => {
        const email = address();
        const link = await linkFor(browserOf(site), mail, email);
        const changed = (f) => { const u = new URL(link); f(u.searchParams); return u.href; };
        const outcome = async (url) => errorOf(await browserOf(site).get(url));
        assert.strictEqual(await outcome(changed((p) => p.set("email", "eve@example.com"))), "Verification");
        assert.strictEqual(await outcome(changed((p) => p.delete("email"))), "Verification");
        assert.strictEqual(await outcome(changed((p) => p.delete("token"))), "Configuration");
        assert.strictEqual(await outcome(changed((p) => p.set("token", "0".repeat(64)))), "Verification");
        rows(site.file, "UPDATE verificationToken SET expires = ? WHERE identifier = ?", Date.now() - 1, email);
        assert.strictEqual(await outcome(link), "Verification");
        assert.strictEqual(rows(site.file, "SELECT 1 FROM verificationToken WHERE identifier = ?", email).length, 0);
    });

    test("an address whose user has other sign-ins: signs in as that user, only emailVerified changes [sec 87]", async () => {
        const email = address();
        provider.user = { sub: `sub-${email}`, name: "Known", email };
        await browserOf(site).signIn("forge");
        const [before] = rows(site.file, "SELECT * FROM user WHERE email = ?", email);
        const b = browserOf(site);
        await b.get(await linkFor(b, mail, email));
        const [after] = rows(site.file, "SELECT * FROM user WHERE email = ?", email);
        assert.ok(after.emailVerified);
        assert.deepStrictEqual({ ...after, emailVerified: null }, before);
        assert.strictEqual((await b.session()).user.name, "Known");
    });

    test("signed in as somebody else: that session ends", async () => {
        const known = address();
        await browserOf(site).get(await linkFor(browserOf(site), mail, known));
        const b = browserOf(site);
        await b.get(await linkFor(b, mail, address()));
        const old = b.jar.get(cookie);
        await b.get(await linkFor(b, mail, known));
        assert.notStrictEqual(b.jar.get(cookie), old);
        assert.strictEqual(rows(site.file, "SELECT 1 FROM session WHERE sessionToken = ?", old).length, 0);
        const held = browserOf(site, { headers: { cookie: `${cookie}=${old}`, accept: "*/*" } });
        assert.strictEqual((await held.get("/private")).status, 401);
    });

    test("known and unknown addresses get the same answer [sec 93]", async () => {
        const known = address();
        await browserOf(site).get(await linkFor(browserOf(site), mail, known));
        const answers = [];
        for (const email of [known, address()]) {
            const n = mail.letters.length;
            const { status, location, body } = await ask(browserOf(site), email);
            await mail.next(n + 1);
            answers.push({ status, location, body });
        }
        assert.deepStrictEqual(answers[0], answers[1]);
    });

    test("addresses that are not exactly one recipient get no letter [sec 89]", async () => {
        const n = mail.letters.length, before = count(site.file, "verificationToken");
        for (const email of ["", "nobody", "a@b@c", '"a b"@example.com', "a,b@example.com", "u ser@example.com", "user@evil.com,victim@x", "a@example.com\r\nBcc: v@example.com",
            "a\r\nDATA@example.com", "a\0@example.com", "a\uff20b@example.com@c", "<a@example.com>", "a;b@example.com", `${"a".repeat(320)}@example.com`, "@example.com", "a@"]) {
            const rs = await ask(browserOf(site), email);
            if (/verify-request/.test(rs.location)) {
                // The domain ends at its first comma, as Auth.js has it: one recipient all the same.
                assert.deepStrictEqual((await mail.next(n + 1)).to, ["user@evil.com"], JSON.stringify(email));
                mail.letters.length = n;
                rows(site.file, "DELETE FROM verificationToken WHERE identifier = 'user@evil.com'");
            } else {
                assert.strictEqual(errorOf(rs), "Configuration", JSON.stringify(email));
            }
        }
        assert.strictEqual(mail.letters.length, n);
        assert.strictEqual(count(site.file, "verificationToken"), before);
        // Full-width letters and case are one spelling.
        await ask(browserOf(site), "  \uff21da\uff20EXAMPLE.com ");
        assert.deepStrictEqual((await mail.next(n + 1)).to, ["ada@example.com"]);
    });

    test("a poisoned host never reaches a letter [sec 92]", async () => {
        const n = mail.letters.length;
        const b = browserOf(site, { headers: { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" } });
        await ask(b, address());
        assert.ok((await mail.next(n + 1)).link.startsWith(`${site.origin}/auth/callback/`));
        const rs = await browserOf(site).request("GET", "/auth/csrf", { headers: { host: "evil.example" } });
        assert.doesNotMatch(rs.body + (rs.location ?? ""), /evil\.example/);
    });
});

test("every line of the provider block", async (t) => {
    const site = await storeSite({
        provider, session: "auth_js_session cache=off;",
        providers: mailBlock(mail.port, `
            subject "Your code for {host}"; token digits:6; secret another-secret; max_age 10m; confirm on;
            normalize 'ascii_downcase | sub("[+][^@]*@"; "@")'; template text {{prefix}}/letter.txt; template html {{prefix}}/letter.html;`),
        files: { "letter.txt": "{token} for {email} until {expires}: {url}\n", "letter.html": "<p title='{email}'><a href=\"{url}\">{token}</a></p>\n" },
        more: `auth_js_theme brand_color=#123456; auth_js_callback sign_in jq '.user.email | test("@example[.]com$")';`,
    });
    t.after(() => site.stop());
    const n = mail.letters.length, b = browserOf(site);
    await ask(b, "Lo'is+spam@Example.com");
    const letter = await mail.next(n + 1);
    assert.deepStrictEqual(letter.to, ["lo'is@example.com"]);
    assert.strictEqual(letter.headers.subject, `Your code for 127.0.0.1:${site.port}`);
    const [, token] = /^(\d{6}) for lo'is@example.com until \S+Z: http/.exec(letter.text);
    assert.ok(letter.html.startsWith("<p title='lo&#39;is@example.com'><a href=\"http"));
    assert.ok(letter.html.includes("&amp;token="));
    const [row] = rows(site.file, "SELECT * FROM verificationToken");
    assert.strictEqual(row.token, crypto.createHash("sha256").update(`${token}another-secret`).digest("hex"));
    assert.ok(Math.abs(Number(row.expires) - Date.now() - 600_000) < 30_000);

    // A scanner that follows the link gets a page with one button, and spends nothing [sec 91].
    const page = await b.get(letter.link);
    assert.strictEqual(page.status, 200);
    assert.strictEqual((page.body.match(/<button/g) ?? []).length, 1);
    assert.strictEqual(count(site.file, "verificationToken"), 1);
    const action = /<form[^>]* action="([^"]*)"/.exec(page.body)[1].replace(/&amp;/g, "&");
    const fields = Object.fromEntries([...page.body.matchAll(/<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"/g)].map((m) => [m[1], m[2].replace(/&amp;/g, "&")]));
    const done = await b.post(new URL(action, letter.link).href, fields);
    assert.strictEqual(done.location, `${site.origin}/`);
    assert.strictEqual((await b.session()).user.email, "lo'is@example.com");

    // Only addresses of one domain, exactly [sec 90].
    for (const email of ["a@corp.com.evil", "a@sub.example.com.evil", "a@example.com.evil"])
        assert.strictEqual(errorOf(await ask(browserOf(site), email)), "AccessDenied", email);
});

test("send uri: a location of one's own sends the letter", async (t) => {
    const got = [];
    let status = 202;
    const post = http.createServer((rq, rs) => {
        let text = "";
        rq.on("data", (d) => { text += d; }).on("end", () => { got.push({ headers: rq.headers, ...JSON.parse(text) }); rs.writeHead(status).end(); });
    });
    await new Promise((ready) => post.listen(0, "127.0.0.1", ready));
    t.after(() => post.close());
    const site = await storeSite({
        provider,
        providers: `auth_js_provider nodemailer { send uri /letters; }`,
        more: `location = /letters { internal; proxy_pass http://127.0.0.1:${post.address().port}; } auth_js_theme logo=https://example.com/l.png;`,
    });
    t.after(() => site.stop());
    const rs = await ask(browserOf(site), "ada@example.com");
    assert.match(rs.location, /verify-request/);
    const { identifier, token, expires, url, provider: by, theme, headers } = got[0];
    assert.strictEqual(identifier, "ada@example.com");
    assert.strictEqual(new URL(url).searchParams.get("token"), token);
    assert.ok(Date.parse(expires) > Date.now());
    assert.strictEqual(by.id, "nodemailer");
    assert.strictEqual(theme.logo, "https://example.com/l.png");
    assert.strictEqual(headers.cookie, undefined);
    const b = browserOf(site);
    await b.get(url);
    assert.strictEqual((await b.session()).user.email, "ada@example.com");
    status = 500;
    assert.strictEqual(errorOf(await ask(browserOf(site), "bob@example.com")), "Configuration");
});

describe("TLS", () => {
    const good = certificate("127.0.0.1"), wrong = certificate("mail.example.com");
    const cases = [
        ["STARTTLS", { ...good }, "?require_tls=1", "smtp", good.file, true],
        ["STARTTLS where it is offered", { ...good }, "", "smtp", good.file, true],
        ["implicit TLS", { ...good, secure: true }, "", "smtps", good.file, true],
        ["a certificate of another name", { ...wrong, secure: true }, "", "smtps", wrong.file, false],
        ["a certificate nobody vouches for", { ...good, secure: true }, "", "smtps", wrong.file, false],
        ["STARTTLS with a wrong certificate", { ...wrong }, "?require_tls=1", "smtp", wrong.file, false],
        ["no STARTTLS though it is demanded", {}, "?require_tls=1", "smtp", good.file, false],
    ];
    for (const [name, options, query, scheme, file, arrives] of cases)
        test(name, async (t) => {
            const server = await startMail(options);
            t.after(() => server.close());
            const site = await storeSite({
                provider, more: `auth_js_trusted_certificate ${file};`,
                providers: `auth_js_provider nodemailer { server ${scheme}://mailer:hunter2@127.0.0.1:${server.port}${query}; from no-reply@example.com; }`,
            });
            t.after(() => site.stop());
            const rs = await ask(browserOf(site), "ada@example.com");
            if (arrives) {
                assert.match(rs.location, /verify-request/);
                assert.deepStrictEqual([server.letters[0].secure, server.letters[0].user], [true, "mailer"]);
            } else {
                assert.strictEqual(errorOf(rs), "Configuration");
                assert.strictEqual(server.letters.length, 0);
            }
        });
});

describe("mail servers with bad manners: the flow ends in time, and the worker serves others", () => {
    const cases = {
        "accepts and is silent": { greeting: null },
        "is silent after EHLO": { EHLO: null },
        "drops the connection after DATA": { ".": "drop" },
        "drops it at once": { greeting: "drop" },
        "4xx at RCPT": { RCPT: "451 try again later" },
        "5xx at RCPT": { RCPT: "550 no such user" },
        "5xx at MAIL": { MAIL: "553 not you" },
        "5xx at DATA": { DATA: "554 no" },
        "5xx after the letter": { ".": "554 spam" },
        "talks nonsense": { greeting: "HTTP/1.1 200 OK" },
    };
    for (const [name, script] of Object.entries(cases))
        test(name, async (t) => {
            const server = await startRude(script);
            t.after(() => server.close());
            const site = await storeSite({
                provider, more: "auth_js_http_timeout 2s;",
                providers: `auth_js_provider nodemailer { server smtp://127.0.0.1:${server.port}; from no-reply@example.com; }`,
            });
            t.after(() => site.stop());
            const begun = Date.now();
            let ended = false, slowest = 0;
            const asked = ask(browserOf(site), "ada@example.com").finally(() => { ended = true; });
            while (!ended) {
                const from = Date.now();
                assert.strictEqual((await browserOf(site).get("/index.html")).status, 200);
                slowest = Math.max(slowest, Date.now() - from);
                await new Promise((r) => setTimeout(r, 20));
            }
            assert.strictEqual(errorOf(await asked), "Configuration");
            assert.ok(Date.now() - begun < 8000, "in time");
            assert.ok(slowest < 1000, `others waited ${slowest} ms`);
            // Stored beside the sending, as in Auth.js: a letter may have got through after all.
            assert.strictEqual(count(site.file, "verificationToken"), 1);
            assert.strictEqual(integrity(site.file), "ok");
        });
});
