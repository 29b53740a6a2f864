// Sign-ins through OAuth and OpenID Connect, end to end: a browser, nginx with the module, and a
// provider that does what it should, or what it should not.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { Browser, Jar } from "../lib/browser.mjs";
import { startNginx } from "../lib/nginx.mjs";
import { halfHash, startProvider } from "../lib/provider.mjs";

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const secret = "an-unguessable-secret-of-more-than-32-bytes";

// Blocks of the configuration.
const block = (id, provider, lines) => `auth_js_provider ${id} {
    client_id "${provider.clientId}"; client_secret "${provider.clientSecret}"; ${lines} }\n`;
const oidc = (id, provider, lines = "") => block(id, provider, `type oidc; issuer ${provider.issuer}; ${lines}`);
const oauth = (id, provider, lines = "") => block(id, provider, `type oauth;
    authorization_url ${provider.issuer}/authorize; token_url ${provider.issuer}/token;
    userinfo_url ${provider.issuer}/userinfo; ${lines}`);
const site = (blocks, { http = "", files = {}, ...rest } = {}) => startNginx({
    ...rest,
    http: `auth_js_secret ${secret}; ${blocks} ${http}`,
    server: "location /auth/ { auth_js_handler; } location /private/ { auth_js on; }",
    files: { "html/private/index.html": "private\n", ...files },
});
const target = (browser) => ({ callbackUrl: `${browser.origin}/private/` });

// failed: a redirect to the page and error that Auth.js has for it, without a session.
function failed(answer, error = "Configuration", page = "/auth/error") {
    assert.strictEqual(answer.status, 302, answer.body.slice(0, 300));
    const url = new URL(answer.location);
    assert.strictEqual(`${url.pathname} ${url.searchParams.get("error")}`, `${page} ${error}`);
    assert.ok(!answer.cookies.some((c) => /session-token=[^;]/.test(c)), "a session was made");
    assert.strictEqual(answer.headers["cache-control"], "private, no-cache, no-store");
}
async function signedIn(browser, answer, to = "/private/") {
    assert.strictEqual(answer.status, 302, answer.body.slice(0, 300));
    assert.strictEqual(answer.location, browser.origin + to);
    const session = await browser.session();
    assert.deepStrictEqual([session?.user.name, session?.user.email], ["Ada Lovelace", "ada@example.com"]);
    assert.strictEqual((await browser.get("/private/")).body, "private\n");
}

describe("complete sign-ins", () => {
    let provider, nginx;
    before(async () => {
        provider = await startProvider();
        nginx = await site(
            oidc("open", provider, "checks pkce state nonce;") + oauth("plain", provider) +
            oidc("posting", provider, "checks state nonce; authorization_param response_mode form_post;") +
            oidc("bare", provider, "checks none;") + oidc("fromuserinfo", provider, "id_token off;"));
        nginx.plant(secret, provider.clientSecret);
    });
    after(async () => {
        await nginx?.stop();
        await provider?.close();
    });

    test("OpenID Connect with all checks", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        const { start, callback } = await browser.signIn("open", target(browser));
        const sent = new URL(start.location).searchParams;
        assert.strictEqual(sent.get("response_type"), "code");
        assert.strictEqual(sent.get("client_id"), provider.clientId);
        assert.strictEqual(sent.get("redirect_uri"), `${nginx.origin}/auth/callback/open`);
        assert.strictEqual(sent.get("scope"), "openid profile email");
        assert.strictEqual(sent.get("code_challenge_method"), "S256");
        assert.ok(sent.get("nonce") && sent.get("state") && sent.get("code_challenge"));
        await signedIn(browser, callback);
        const [token] = provider.requestsOf("token");
        assert.deepStrictEqual(Object.keys(token.form), ["redirect_uri", "code", "code_verifier", "grant_type"]);
        assert.strictEqual(token.headers.accept, "application/json");
        assert.strictEqual(provider.requestsOf("userinfo").length, 0);
        assert.deepStrictEqual(provider.mistakes, []);
        assert.deepStrictEqual(browser.jar.names().sort(), ["authjs.callback-url", "authjs.csrf-token", "authjs.session-token"]);
        nginx.plant(token.form.code, token.form.code_verifier, token.accessToken, sent.get("state"), browser.jar.get("authjs.session-token"));
    });

    test("plain OAuth takes the profile from userinfo", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        await signedIn(browser, (await browser.signIn("plain", target(browser))).callback);
        const [asked] = provider.requestsOf("userinfo");
        assert.strictEqual(asked.headers.authorization, `Bearer ${provider.requestsOf("token")[0].accessToken}`);
        assert.strictEqual(provider.requestsOf("discovery").length, 0);
        assert.deepStrictEqual(provider.mistakes, []);
    });

    test("form_post comes back across sites", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        const { start, consent, callback } = await browser.signIn("posting", target(browser));
        assert.strictEqual(consent.method, "POST");
        for (const name of ["state", "nonce"]) {
            const line = start.cookies.find((c) => c.startsWith(`authjs.${name}=`));
            assert.match(line, /; SameSite=None/i);
            assert.match(line, /; Secure/i);
        }
        // The cookie with the callback URL is SameSite=Lax and stays at home, as in Auth.js.
        await signedIn(browser, callback, "/");
    });

    test("with no checks, state is sent and compared all the same", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        const start = await browser.start("bare", target(browser));
        assert.ok(new URL(start.location).searchParams.get("state"));
        const forged = await browser.consent(start.location);
        failed(await browser.back({ ...forged, url: forged.url.replace(/state=[^&]*/, "state=forged") }));
        assert.strictEqual(provider.requestsOf("token").length, 0);
        await signedIn(browser, await browser.back(await browser.consent(start.location)));
    });

    test("the profile of an OIDC provider may come from userinfo, about the same subject [sec 64]", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        await signedIn(browser, (await browser.signIn("fromuserinfo", target(browser))).callback);
        assert.strictEqual(provider.requestsOf("userinfo").length, 1);
        provider.answer("userinfo", { merge: { sub: "somebody-else" } });
        failed((await new Browser(nginx.origin).signIn("fromuserinfo")).callback);
    });

    test("the query of the sign-in adds parameters but replaces none that matter", async () => {
        const browser = new Browser(nginx.origin);
        const { location } = await browser.start("open", {
            query: "?prompt=login&login_hint=x%40y&client_id=evil&redirect_uri=https%3A%2F%2Fevil.example&state=evil&nonce=evil&code_challenge=evil&response_type=evil&request=evil&request_uri=https%3A%2F%2Fevil.example",
        });
        const sent = new URL(location).searchParams;
        assert.strictEqual(sent.get("prompt"), "login");
        assert.strictEqual(sent.get("login_hint"), "x@y");
        for (const [name, value] of sent) assert.ok(!value.includes("evil"), name);
    });

    test("what the provider sets on its answers does not reach the browser [sec 82]", async () => {
        provider.reset();
        const headers = { "set-cookie": "idp=1", "strict-transport-security": "max-age=1" };
        for (const role of ["token", "userinfo"]) provider.answer(role, { headers });
        const browser = new Browser(nginx.origin);
        const { callback } = await browser.signIn("plain", target(browser));
        await signedIn(browser, callback);
        assert.ok(!callback.cookies.some((c) => c.startsWith("idp=")));
        assert.strictEqual(callback.headers["strict-transport-security"], undefined);
    });

    test("discovery and keys are asked for once while they are fresh", async () => {
        provider.reset();
        for (let i = 0; i < 3; ++i) {
            const browser = new Browser(nginx.origin);
            await signedIn(browser, (await browser.signIn("open", target(browser))).callback);
        }
        assert.strictEqual(provider.requestsOf("discovery").length + provider.requestsOf("jwks").length, 0);
    });
});

describe("client authentication", () => {
    const rsa = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
    const ec = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
    const methods = {
        client_secret_basic: "",
        client_secret_post: "token_auth_method client_secret_post;",
        client_secret_jwt: "token_auth_method client_secret_jwt;",
        private_key_jwt: "token_auth_method private_key_jwt; private_key file:{{prefix}}/rsa.pem kid=mine;",
        none: "token_auth_method none;",
    };
    const jwk = "token_auth_method private_key_jwt; private_key file:{{prefix}}/ec.jwk;";
    let provider, nginx;
    before(async () => {
        provider = await startProvider({ clientId: "me:and you/é", clientSecret: "s:e c+r%et-_.!~*'()0123456789abcdef" });
        nginx = await site(Object.entries({ ...methods, jwk }).map(([id, lines]) => oidc(id, provider, lines)).join(""), {
            files: {
                "rsa.pem": rsa.privateKey.export({ type: "pkcs8", format: "pem" }),
                "ec.jwk": JSON.stringify({ ...ec.privateKey.export({ format: "jwk" }), kid: "e1", alg: "ES256" }),
            },
        });
        nginx.plant(provider.clientSecret);
    });
    after(async () => {
        await nginx?.stop();
        await provider?.close();
    });
    const partsOf = (token) => token.split(".").slice(0, 2).map((s) => JSON.parse(Buffer.from(s, "base64url")));

    for (const method of Object.keys(methods))
        test(method, async () => {
            Object.assign(provider.reset(), { clientAuth: method, clientKey: rsa.publicKey });
            const browser = new Browser(nginx.origin);
            await signedIn(browser, (await browser.signIn(method, target(browser))).callback);
            const [token] = provider.requestsOf("token");
            if (!method.endsWith("_jwt")) return;
            const [header, claims] = partsOf(token.form.client_assertion);
            const keyed = method === "private_key_jwt";
            assert.deepStrictEqual(header, keyed ? { alg: "RS256", kid: "mine" } : { alg: "HS256" });
            assert.deepStrictEqual(Object.keys(claims), ["jti", "aud", "exp", "iat", "nbf", "iss", "sub"]);
            assert.deepStrictEqual(claims.aud, keyed ? [provider.issuer, `${provider.issuer}/token`] : provider.issuer);
            nginx.plant(token.form.client_assertion);
        });

    test("private_key_jwt with a JWK names its key", async () => {
        Object.assign(provider.reset(), { clientAuth: "private_key_jwt", clientKey: ec.publicKey });
        const browser = new Browser(nginx.origin);
        await signedIn(browser, (await browser.signIn("jwk", target(browser))).callback);
        assert.deepStrictEqual(partsOf(provider.requestsOf("token")[0].form.client_assertion)[0], { alg: "ES256", kid: "e1" });
    });

    test("a refused client ends as a failed callback, and the log has the provider's reason", async () => {
        Object.assign(provider.reset(), { clientAuth: "client_secret_post" });
        failed((await new Browser(nginx.origin).signIn("none")).callback);
        assert.match(nginx.log, /auth_js: .*invalid_client/);
    });
});

describe("ID tokens", () => {
    const algs = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"];
    let provider, nginx;
    before(async () => {
        provider = await startProvider({
            metadata: { id_token_signing_alg_values_supported: [...algs, "HS256", "none"] },
            clientSecret: "a client secret that is long enough for HS256",
        });
        nginx = await site(
            oidc("open", provider, "checks pkce state nonce;") + oidc("hmac", provider, "id_token_alg HS256;") +
            oidc("onlyes", provider, "id_token_alg ES256;") + oidc("recent", provider, "max_age 60s;"));
    });
    after(async () => {
        await nginx?.stop();
        await provider?.close();
    });
    const signInWith = async (changes, id = "open") => {
        const idToken = typeof changes === "function" ? changes() : changes;
        provider.reset().answer("token", { idToken });
        const browser = new Browser(nginx.origin);
        return { browser, callback: (await browser.signIn(id, target(browser))).callback };
    };

    for (const alg of algs)
        test(`${alg} is accepted`, async () => {
            const { browser, callback } = await signInWith({ header: { alg }, key: alg });
            await signedIn(browser, callback);
        });
    test("HS256 is accepted where the configuration names it, and nothing else there [sec 55]", async () => {
        const { browser, callback } = await signInWith({ header: { alg: "HS256" } }, "hmac");
        await signedIn(browser, callback);
        failed((await signInWith({ header: { alg: "RS256" } }, "hmac")).callback);
        failed((await signInWith({ header: { alg: "HS256" }, key: "another secret" }, "hmac")).callback);
        failed((await signInWith({ header: { alg: "RS256" } }, "onlyes")).callback);
    });
    test("max_age is sent, and auth_time checked", async () => {
        const now = Math.floor(Date.now() / 1000);
        const { browser, callback } = await signInWith({ claims: { auth_time: now - 5 } }, "recent");
        await signedIn(browser, callback);
        assert.strictEqual(provider.requestsOf("authorize")[0].query.max_age, "60");
        failed((await signInWith({ claims: { auth_time: now - 120 } }, "recent")).callback);
        failed((await signInWith({}, "recent")).callback);
    });

    const now = Math.floor(Date.now() / 1000);
    const good = {
        "no kid, and several keys": { header: { kid: null } },
        "an array of one audience [sec 61]": () => ({ claims: { aud: [provider.clientId] } }),
        "two audiences with azp [sec 61]": () => ({ claims: { aud: [provider.clientId, "x"], azp: provider.clientId } }),
        "no hashes": { claims: { at_hash: null, c_hash: null } },
        "exp a little past [sec 60]": () => ({ claims: { exp: Math.floor(Date.now() / 1000) - 5 } }),
        "a header with keys of its own, ignored [sec 56]": { header: { jku: "https://evil.example", x5u: "x", jwk: {}, x5c: ["x"] } },
    };
    for (const [what, changes] of Object.entries(good))
        test(`accepted: ${what}`, async () => {
            const { browser, callback } = await signInWith(changes);
            await signedIn(browser, callback);
        });

    const publicKey = () => crypto.createPublicKey(provider.keys.RS256.privateKey).export({ type: "spki", format: "pem" });
    const bad = {
        "alg none [sec 54]": { header: { alg: "none" } },
        "alg NonE [sec 54]": { header: { alg: "NonE" } },
        "no alg [sec 54]": { header: { alg: null }, key: "RS256" },
        "alg a list [sec 54]": { header: { alg: ["RS256"] }, key: "RS256" },
        "the public key as an HMAC's [sec 55]": () => ({ header: { alg: "HS256" }, key: publicKey() }),
        "HS256 under the client secret, not configured [sec 55]": { header: { alg: "HS256" } },
        "an algorithm that is not announced [sec 55]": { header: { alg: "RS512" }, key: "RS256" },
        "another key under a known kid [sec 57]": { key: "stranger" },
        "an unknown kid [sec 56]": { header: { kid: "../../etc/passwd" } },
        "a huge kid [sec 56]": { header: { kid: "k".repeat(30_000) } },
        "crit [sec 56]": { header: { crit: ["exp"] } },
        "b64 [sec 56]": { header: { b64: false } },
        "a flipped signature [sec 58]": { mangle: "flip" },
        "no signature [sec 54]": { mangle: "unsigned" },
        "two segments [sec 59]": { mangle: "two" },
        "four segments [sec 59]": { mangle: "four" },
        "five segments [sec 59]": { mangle: "five" },
        "padding [sec 59]": { mangle: "pad" },
        "white space [sec 59]": { mangle: "space" },
        "a member twice [sec 59]": { payload: '{{{claims}},"sub":"somebody"}' },
        "a byte-order mark [sec 59]": { payload: "\ufeff{{{claims}}}" },
        "deep nesting [sec 59]": { payload: `{{{claims}},"x":${"[".repeat(40)}${"]".repeat(40)}}` },
        "NaN [sec 59]": { payload: '{{{claims}},"x":NaN}' },
        "1e400 [sec 59]": { payload: '{{{claims}},"x":1e400}' },
        "a list for claims [sec 59]": { payload: "[]" },
        "another issuer [sec 62]": { claims: { iss: "https://evil.example" } },
        "the issuer with a slash [sec 62]": () => ({ claims: { iss: `${provider.issuer}/` } }),
        "no issuer [sec 62]": { claims: { iss: null } },
        "another audience [sec 61]": { claims: { aud: "x" } },
        "two audiences without azp [sec 61]": () => ({ claims: { aud: [provider.clientId, "x"] } }),
        "two audiences with another azp [sec 61]": () => ({ claims: { aud: [provider.clientId, "x"], azp: "x" } }),
        "no audience [sec 61]": { claims: { aud: [] } },
        "expired [sec 60]": { claims: { exp: now - 3600 } },
        "exp a text [sec 60]": { claims: { exp: `${now + 3600}` } },
        "no exp [sec 60]": { claims: { exp: null } },
        "nbf to come [sec 60]": { claims: { nbf: now + 7200 } },
        "no iat [sec 60]": { claims: { iat: null } },
        "no sub": { claims: { sub: null } },
        "sub a number": { claims: { sub: 1815 } },
        "no nonce [sec 63]": { claims: { nonce: null } },
        "another nonce [sec 63]": { claims: { nonce: "x" } },
        "a wrong at_hash [sec 63]": { claims: { at_hash: halfHash("RS256", "x") } },
        "a wrong c_hash [sec 63]": { claims: { c_hash: halfHash("RS256", "x") } },
    };
    for (const [what, changes] of Object.entries(bad))
        test(`refused: ${what}`, async () => {
            const { browser, callback } = await signInWith(changes);
            failed(callback);
            assert.strictEqual(await browser.session(), null);
            assert.strictEqual(provider.requestsOf("token").length, 1);
        });

    test("refused: no ID token, and two of them [sec 78]", async () => {
        provider.reset().answer("token", { merge: { id_token: null } });
        failed((await new Browser(nginx.origin).signIn("open")).callback);
        provider.answer("token", { body: '{"access_token":"a","token_type":"bearer","id_token":"a.b.c","id_token":"d.e.f"}' });
        failed((await new Browser(nginx.origin).signIn("open")).callback);
    });
    test("refused: the nonce of another sign-in [sec 63]", async () => {
        provider.reset();
        const nonce = new URL((await new Browser(nginx.origin).start("open")).location).searchParams.get("nonce");
        provider.answer("token", { idToken: { claims: { nonce } } });
        failed((await new Browser(nginx.origin).signIn("open")).callback);
    });
    test("a flood of unknown keys asks for the key set at most once more [sec 76]", async () => {
        provider.reset().answer("token", { idToken: { header: { kid: "unknown" } } });
        await Promise.all(Array.from({ length: 10 }, async () => failed((await new Browser(nginx.origin).signIn("open")).callback)));
        assert.ok(provider.requestsOf("jwks").length <= 1, `${provider.requestsOf("jwks").length} requests`);
    });
});

describe("what the browser brings back", () => {
    let provider, announcing, nginx;
    before(async () => {
        provider = await startProvider();
        announcing = await startProvider({ metadata: { authorization_response_iss_parameter_supported: true } });
        nginx = await site(
            oidc("open", provider, "checks pkce state nonce;") + oidc("other", provider, "checks pkce state nonce;") +
            oidc("pkce", provider) + oidc("iss", announcing) +
            oidc("posting", provider, "checks state nonce; authorization_param response_mode form_post;"));
    });
    after(async () => {
        await nginx?.stop();
        await provider?.close();
        await announcing?.close();
    });
    // callback: a sign-in that comes back with these parameters laid over the good ones.
    const callback = async (params, { id = "open", by = provider } = {}) => {
        by.reset().answer("authorize", (request) => ({ params: typeof params === "function" ? params(request.query) : params }));
        const browser = new Browser(nginx.origin);
        return { browser, answer: (await browser.signIn(id, target(browser))).callback };
    };
    const refused = async (params, options) => {
        failed((await callback(params, options)).answer);
        assert.strictEqual((options?.by ?? provider).requestsOf("token").length, 0, "the code was sent");
    };

    for (const id of ["open", "pkce"]) {
        test(`${id}: no state, a wrong one, an empty one [sec 41]`, async () => {
            for (const state of [null, "x", ""]) await refused({ state }, { id });
        });
        test(`${id}: code and state of another browser [sec 41] [sec 46]`, async () => {
            provider.reset();
            const attacker = new Browser(nginx.origin), victim = new Browser(nginx.origin);
            const stolen = await attacker.consent((await attacker.start(id)).location);
            failed(await victim.back(stolen));
            await victim.start(id);
            failed(await victim.back(stolen));
            assert.strictEqual(provider.requestsOf("token").length, 0);
        });
    }
    test("the checks of another provider [sec 41] [sec 42]", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        const consent = await browser.consent((await browser.start("open")).location);
        failed(await browser.back({ ...consent, url: consent.url.replace("/callback/open", "/callback/other") }));
        assert.strictEqual(provider.requestsOf("token").length, 0);
    });
    test("a parameter twice, or under another name [sec 48]", async () => {
        for (const name of ["code", "iss", "error"]) await refused({ [name]: ["a", "b"] });
        await refused(({ state }) => ({ state: [state, state] }));
        await refused({ code: null, "code[]": "x" });
    });
    test("no code, an empty one", async () => {
        for (const code of [null, ""]) await refused({ code });
    });
    test("tokens and signed responses that were not asked for", async () => {
        for (const name of ["id_token", "token", "response"]) await refused({ [name]: "x" });
    });
    test("iss is the issuer, and there where it is announced [sec 50]", async () => {
        await refused({ iss: "https://evil.example" });
        await refused({ iss: null }, { id: "iss", by: announcing });
        await refused({ iss: provider.issuer }, { id: "iss", by: announcing });
        const { browser, answer } = await callback({}, { id: "iss", by: announcing });
        await signedIn(browser, answer);
    });
    test("error= lands on the sign-in page and is reflected nowhere [sec 49]", async () => {
        const { answer } = await callback({ error: "access_denied", error_description: "<script>x</script>\r\nX: y", code: null });
        failed(answer, "OAuthCallbackError", "/auth/signin");
        assert.ok(!/script|access_denied/.test(answer.location + answer.body + JSON.stringify(answer.headers)));
        assert.strictEqual(provider.requestsOf("token").length, 0);
    });
    test("a provider's words are text in the log too: no second line, nothing that a terminal obeys", async () => {
        const from = nginx.log.length;
        for (const words of ["one\r\n2026/01/01 [forged]", "\x1b[2Jtwo", "three\u009b2J\u0085", "n\u00e4\u4e00four"])
            await callback({ error: "x", error_description: words, code: null });
        const log = nginx.log.slice(from);
        for (const words of ["one%0D%0A2026", "%1B[2Jtwo", "three%C2%9B2J%C2%85", "n\u00e4\u4e00four"]) assert.ok(log.includes(words), words);
        assert.ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(log));
    });
    test("no cookies [sec 41]", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        const consent = await browser.consent((await browser.start("open")).location);
        browser.jar.delete(/./);
        failed(await browser.back(consent));
        assert.strictEqual(provider.requestsOf("token").length, 0);
    });
    test("the same callback again goes to the target, and its code is not sent again [sec 52]", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        const { consent, callback: first } = await browser.signIn("open", target(browser));
        await signedIn(browser, first);
        const again = await browser.back(consent);
        assert.strictEqual(again.status, 302);
        assert.ok(!new URL(again.location).searchParams.has("error"), again.location);
        assert.strictEqual(provider.requestsOf("token").length, 1);
    });
    test("two tabs: the newer finishes, the older goes to its target [sec 43] [sec 44]", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        const older = await browser.consent((await browser.start("open", target(browser))).location);
        const newer = await browser.consent((await browser.start("open", target(browser))).location);
        await signedIn(browser, await browser.back(newer));
        const answer = await browser.back(older);
        assert.strictEqual(answer.status, 302);
        assert.ok(!new URL(answer.location).searchParams.has("error"), answer.location);
        assert.strictEqual(provider.requestsOf("token").length, 1);
    });
    test("many tabs keep the request's cookies small [sec 43]", async () => {
        const browser = new Browser(nginx.origin);
        for (let i = 0; i < 20; ++i) await browser.start("open");
        const sent = browser.jar.of(new URL(nginx.origin)).map((c) => `${c.name}=${c.value}`).join("; ");
        assert.ok(sent.length < 4096, `${sent.length} bytes`);
    });
    test("form_post with a body that is no form, too long, or badly escaped [sec 51]", async () => {
        provider.reset();
        const browser = new Browser(nginx.origin);
        const consent = await browser.consent((await browser.start("posting", target(browser))).location);
        const body = new URLSearchParams(consent.form).toString();
        const post = (text, type = "application/x-www-form-urlencoded") =>
            browser.request("POST", consent.url, { body: text, headers: { "content-type": type }, crossSite: true });
        failed(await post(body, "text/plain"));
        assert.strictEqual((await post(`${body}&x=${"y".repeat(70_000)}`)).status, 413);
        assert.strictEqual(provider.requestsOf("token").length, 0);
        await signedIn(browser, await post(`${body}&${"a=%zz&".repeat(5000)}`), "/");
    });
});

describe("a provider that misbehaves", () => {
    let provider, nginx;
    before(async () => {
        provider = await startProvider();
        nginx = await site(oidc("open", provider) + oauth("plain", provider), { http: "auth_js_http_timeout 1s;" });
    });
    after(async () => {
        await nginx?.stop();
        await provider?.close();
    });
    const signIn = async (id = "open", browser = new Browser(nginx.origin)) => (await browser.signIn(id, target(browser))).callback;

    const refusals = {
        "a redirect": { status: 302, headers: { location: "/elsewhere" } },
        "a redirect that keeps the method": { status: 307, headers: { location: "/elsewhere" } },
        "500": { status: 500 },
        "400 with an error object": { status: 400, json: { error: "invalid_grant", error_description: "used" } },
        "200 with an error object": { json: { error: "bad_verification_code" } },
        "201": { status: 201 },
        "204": { status: 204, body: "" },
        "a page": { body: "<html>", headers: { "content-type": "text/html" } },
        "a form": { body: "access_token=a&token_type=bearer" },
        "a list": { json: [] },
        "no access token": { merge: { access_token: null } },
        "a negative lifetime": { merge: { expires_in: -1 } },
        "a lifetime that is no number": { merge: { expires_in: "soon" } },
        "a member twice": { body: '{"access_token":"a","access_token":"b","token_type":"bearer"}' },
        "invalid UTF-8": { body: Buffer.from('{"access_token":"\xff"}', "latin1") },
        "a byte-order mark": { body: '\ufeff{"access_token":"a","token_type":"bearer"}' },
        "deep nesting": { body: `{"access_token":"a","x":${"[".repeat(30_000)}` },
        "100 KB": { merge: { x: "x".repeat(100_000) } },
        "a gzip bomb": { gzip: 50_000_000 },
        "a reset": { reset: true },
        "a reset in the middle": { cut: 10 },
        "silence": { hang: true },
        "a byte now and then": { drip: 50 },
    };
    for (const id of ["open", "plain"])
        for (const [what, answer] of Object.entries(refusals))
            test(`${id}: the token endpoint answers ${what} [sec 78]`, async () => {
                provider.reset().answer("token", answer);
                const started = Date.now();
                failed(await signIn(id));
                assert.ok(Date.now() - started < 4000, "it took too long");
                assert.strictEqual(provider.requestsOf("token").length, 1, "the code was sent again");
                assert.strictEqual(provider.requestsOf("other").length, 0, "a redirect was followed");
            });

    const oddities = {
        "no token type": { merge: { token_type: null } },
        "bearer in capitals": { merge: { token_type: "BEARER" } },
        "another token type": { merge: { token_type: "jwt-bearer" } },
        "a list of scopes": { merge: { scope: ["a", "b"] } },
        "a lifetime in text": { merge: { expires_in: "3600" } },
        "a vast lifetime": { merge: { expires_in: 1e20 } },
        "no lifetime": { merge: { expires_in: null } },
        "another content type": { headers: { "content-type": "text/plain" } },
        "gzip": { gzip: true },
        "members that nobody knows": { merge: { user_id: 7, more: { a: [1] } } },
    };
    for (const [what, answer] of Object.entries(oddities))
        test(`the token endpoint answers with ${what}: fine [sec 78]`, async () => {
            provider.reset().answer("token", answer);
            const browser = new Browser(nginx.origin);
            await signedIn(browser, await signIn("open", browser));
        });

    const profiles = {
        "500": { status: 500 },
        "401": { status: 401 },
        "a redirect": { status: 302, headers: { location: "/elsewhere" } },
        "204": { status: 204, body: "" },
        "a list": { json: [{ sub: "x" }] },
        "a page": { body: "<html>" },
        "an error object": { status: 400, json: { error: "x" } },
        "nobody": { json: { name: "Nobody" } },
        "an id that lost digits": { body: '{"id":12345678901234567890,"name":"x"}' },
        "a reset": { reset: true },
        "silence": { hang: true },
    };
    for (const [what, answer] of Object.entries(profiles))
        test(`userinfo answers ${what}: nobody is signed in [sec 64]`, async () => {
            provider.reset().answer("userinfo", answer);
            const browser = new Browser(nginx.origin);
            const callback = await signIn("plain", browser);
            assert.strictEqual(callback.status, 302);
            assert.ok(!callback.cookies.some((c) => /session-token=[^;]/.test(c)), "a session was made");
            assert.strictEqual(await browser.session(), null);
            assert.strictEqual(provider.requestsOf("other").length, 0, "a redirect was followed");
        });

    test("a provider that hangs holds up nobody else [sec 79]", async () => {
        provider.reset().answer("token", { hang: true });
        const waiting = Array.from({ length: 50 }, () => signIn("plain"));
        await provider.until("token", 10);
        const times = [];
        for (let i = 0; i < 20; ++i) {
            const started = Date.now();
            assert.strictEqual((await new Browser(nginx.origin).get("/")).status, 200);
            times.push(Date.now() - started);
        }
        assert.ok(Math.max(...times) < 500, `a plain file took ${Math.max(...times)} ms`);
        for (const answer of await Promise.all(waiting)) failed(answer);
    });

    test("a client that goes away takes its discovery along [sec 79] [sec 110]", async () => {
        const slow = await startProvider();
        slow.answer("discovery", { hang: true });
        const other = await site(oidc("slow", slow));
        try {
            const browser = new Browser(other.origin);
            const csrfToken = await browser.csrf();
            const gone = new AbortController();
            const start = browser.post(browser.route("signin/slow"), { csrfToken }, { signal: gone.signal }).catch((e) => e.name);
            const [request] = await slow.until("discovery");
            gone.abort();
            assert.strictEqual(await start, "AbortError");
            await request.closed;
            assert.strictEqual((await browser.get("/")).status, 200);
        } finally {
            await other.stop();
            await slow.close();
        }
    });

    test("a client that goes away after its code was sent: the sign-in ends by itself [sec 110]", async () => {
        provider.reset().answer("token", { delay: 300 });
        const browser = new Browser(nginx.origin);
        const consent = await browser.consent((await browser.start("plain")).location);
        const gone = new AbortController();
        const back = browser.back(consent, { signal: gone.signal }).catch((e) => e.name);
        await provider.until("token");
        gone.abort();
        assert.strictEqual(await back, "AbortError");
        await provider.until("userinfo");
    });

    test("a code is sent once: whichever worker is asked, after a reload, and in the smallest zone under a flood [sec 52]", async () => {
        const own = await startProvider();
        const shared = await site(oauth("plain", own), { workers: 2, http: "auth_js_zone 32k;" });
        // signIn, and the same callback again as often as is said, from a browser that has the checks and no session.
        const started = async () => {
            const browser = new Browser(shared.origin);
            const consent = await browser.consent((await browser.start("plain")).location);
            const checks = new Map(browser.jar.cookies);
            const again = () => new Browser(shared.origin, { jar: Object.assign(new Jar(), { cookies: new Map(checks) }) });
            return { browser, consent, again };
        };
        const replayed = async ({ again, consent }, times) => {
            const before = own.requestsOf("token").length;
            for (let i = 0; i < times; i++) failed(await again().back(consent));
            assert.strictEqual(own.requestsOf("token").length, before, "the code was sent again");
        };
        try {
            const first = await started();
            assert.strictEqual((await first.browser.back(first.consent)).location, `${shared.origin}/`);
            await replayed(first, 10);
            await shared.reload();
            await replayed(first, 10);

            // Codes of an attacker's own invention fill a zone of a thousand places.
            own.answer("token", { status: 400, json: { error: "invalid_grant" } });
            const flood = await started();
            const next = Array.from({ length: 1500 }, (_, i) => flood.consent.url.replace(/code=[^&]*/, `code=flood-${i}`))[Symbol.iterator]();
            await Promise.all(Array.from({ length: 16 }, async () => { for (const url of next) failed(await flood.again().get(url)); }));
            own.reset();
            const last = await started();
            assert.strictEqual((await last.browser.back(last.consent)).location, `${shared.origin}/`);
            await replayed(last, 10);
        } finally {
            await shared.stop();
            await own.close();
        }
    });

    test("a reload lets a callback in flight finish [sec 53]", async () => {
        provider.reset().answer("token", { delay: 500 });
        const browser = new Browser(nginx.origin);
        const callback = signIn("plain", browser);
        await provider.until("token");
        await nginx.reload();
        await signedIn(browser, await callback);
    });

    test("a worker killed in a callback: the sign-in starts again cleanly [sec 53]", async () => {
        provider.reset().answer("token", { hang: true });
        const browser = new Browser(nginx.origin);
        const callback = signIn("plain", browser).catch((e) => e.code);
        await provider.until("token");
        for (const worker of nginx.workers) nginx.kill(worker);
        assert.strictEqual(await callback, "ECONNRESET");
        provider.reset();
        await sleep(300);
        await signedIn(browser, await signIn("plain", browser));
    });
});

describe("discovery and keys that misbehave", () => {
    const documents = {
        "404": { status: 404 },
        "a redirect": { status: 302, headers: { location: "/elsewhere" } },
        "a page": { body: "<html>" },
        "nothing": { body: "" },
        "a list": { json: [] },
        "a member twice": { body: '{"issuer":"x","issuer":"y"}' },
        "another issuer": { merge: { issuer: "https://evil.example" } },
        "no issuer": { merge: { issuer: null } },
        "a file for an endpoint": { merge: { authorization_endpoint: "file:///etc/passwd" } },
        "no authorization endpoint": { merge: { authorization_endpoint: null } },
        "1 MiB": { merge: { x: "x".repeat(1 << 20) } },
        "a gzip bomb": { gzip: 50_000_000 },
        "a byte now and then": { drip: 50 },
        "silence": { hang: true },
        "a reset": { reset: true },
    };
    const keySets = {
        "404": { status: 404 },
        "a page": { body: "<html>" },
        "a redirect": { status: 302, headers: { location: "/elsewhere" } },
        "1 MiB": { json: { keys: [], x: "x".repeat(1 << 20) } },
        "silence": { hang: true },
    };
    let provider, nginx;
    before(async () => {
        provider = await startProvider();
        nginx = await site(oidc("open", provider), { http: "auth_js_http_timeout 1s;" });
    });
    after(async () => {
        await nginx?.stop();
        await provider?.close();
    });

    test("an issuer whose name nobody knows: an error page at once, and a file meanwhile [sec 80]", async () => {
        const nowhere = await site(oidc("open", { ...provider, clientId: "x", clientSecret: "y", issuer: "http://nowhere.invalid" }));
        const started = Date.now();
        const all = Array.from({ length: 20 }, () => new Browser(nowhere.origin).start("open"));
        assert.strictEqual((await new Browser(nowhere.origin).get("/")).body, "home\n");
        for (const answer of await Promise.all(all)) failed(answer);
        assert.ok(Date.now() - started < 8000);
        assert.match(nowhere.log, /discovery failed: name not found/);
        await nowhere.stop();
    });
    for (const [what, answer] of Object.entries(documents))
        test(`discovery answers ${what}: no sign-in starts [sec 75]`, async () => {
            provider.reset().answer("discovery", answer);
            const started = Date.now();
            failed(await new Browser(nginx.origin).start("open"));
            assert.ok(Date.now() - started < 4000, "it took too long");
            assert.strictEqual(provider.requestsOf("other").length, 0, "a redirect was followed");
        });
    // A document that is good but for what only the sign-in needs is kept: from here on it is fresh.
    for (const [what, answer] of Object.entries(keySets))
        test(`the key set is ${what}: nobody is signed in [sec 76]`, async () => {
            provider.reset().answer("jwks", answer);
            if (what === "404") await nginx.reload();
            failed((await new Browser(nginx.origin).signIn("open")).callback);
            assert.strictEqual(provider.requestsOf("other").length, 0, "a redirect was followed");
        });
    test("5,000 keys of no use cost little, and a good one among them is found later [sec 76]", async () => {
        provider.reset().answer("jwks", { json: { keys: Array.from({ length: 5000 }, (_, i) => ({ kty: "oct", k: "AAAA", kid: `${i}` })) } });
        const started = Date.now();
        failed((await new Browser(nginx.origin).signIn("open")).callback);
        assert.ok(Date.now() - started < 2000);
        provider.reset();
        const browser = new Browser(nginx.origin);
        await signedIn(browser, (await browser.signIn("open", target(browser))).callback);
    });
    test("both are remembered while the provider is down [sec 77]", async () => {
        provider.reset();
        for (const role of ["discovery", "jwks"]) provider.answer(role, { reset: true });
        const browser = new Browser(nginx.origin);
        await signedIn(browser, (await browser.signIn("open", target(browser))).callback);
    });
});

describe("TLS", () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-tls-"));
    fs.chmodSync(dir, 0o755);
    const certificate = (name, subject) => {
        const [key, file] = [path.join(dir, `${name}.key`), path.join(dir, `${name}.pem`)];
        execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-keyout", key, "-out", file, "-subj", "/CN=test", "-addext", `subjectAltName=${subject}`], { stdio: "pipe" });
        return { key: fs.readFileSync(key), cert: fs.readFileSync(file), file };
    };
    const right = certificate("right", "IP:127.0.0.1"), wrong = certificate("wrong", "DNS:other.example");
    const named = certificate("named", "DNS:localhost"), old = ended(right);
    after(() => fs.rmSync(dir, { recursive: true }));
    // The same certificate, as of a day that is past.
    function ended({ key }) {
        const [request, file] = ["old.csr", "old.pem"].map((name) => path.join(dir, name));
        const openssl = (...args) => execFileSync("openssl", args, { stdio: "pipe" });
        openssl("req", "-new", "-key", path.join(dir, "right.key"), "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-out", request);
        openssl("x509", "-req", "-in", request, "-signkey", path.join(dir, "right.key"), "-days", "-1", "-copy_extensions", "copy", "-out", file);
        return { key, cert: fs.readFileSync(file), file };
    }
    // A provider behind TLS that answers discovery, and a site that trusts this file (or none).
    const start = async (t, { key, cert }, trusted, more = {}, host = "127.0.0.1") => {
        const provider = await startProvider({ host, tls: { key, cert, ...more } });
        t.after(() => provider.close());
        const nginx = await site(oidc("open", provider), { http: trusted ? `auth_js_trusted_certificate ${trusted};` : "" });
        t.after(() => nginx.stop());
        return { provider, browser: new Browser(nginx.origin, { tls: { rejectUnauthorized: false } }) };
    };

    test("a trusted certificate is accepted", async (t) => {
        const { browser } = await start(t, right, right.file);
        await signedIn(browser, (await browser.signIn("open", target(browser))).callback);
    });
    test("the provider is told by which name it is asked [sec 81]", async (t) => {
        const names = new Set();
        const { browser } = await start(t, named, named.file, { SNICallback: (name, done) => { names.add(name); done(null); } }, "localhost");
        await signedIn(browser, (await browser.signIn("open", target(browser))).callback);
        assert.deepStrictEqual([...names], ["localhost"]);
    });
    test("an https issuer's document may not name http endpoints [sec 75]", async (t) => {
        const { provider, browser } = await start(t, right, right.file);
        provider.answer("discovery", { merge: { token_endpoint: `http://127.0.0.1:${provider.port}/token` } });
        failed(await browser.start("open"));
    });
    const refusals = {
        "a self-signed certificate": [right, ""],
        "another host's certificate": [wrong, wrong.file],
        "a certificate that has ended": [old, old.file],
        "TLS 1.0": [right, right.file, { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }],
        "TLS 1.1": [right, right.file, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }],
    };
    for (const [what, given] of Object.entries(refusals))
        test(`${what} is refused [sec 81]`, async (t) => {
            const { provider, browser } = await start(t, ...given);
            failed(await browser.start("open"));
            assert.strictEqual(provider.requests.length, 0);
        });
});
