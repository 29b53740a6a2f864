// Random sequences of requests over a pair. Everything is drawn from one generator, so that a seed
// repeats a run.
import { encode } from "@auth/core/jwt";

export function generator(seed) {
    let a = seed >>> 0;
    const next = () => {
        a = (a + 0x6d2b79f5) | 0;
        let t = Math.imul(a ^ (a >>> 15), 1 | a);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const rng = {
        next,
        chance: (p) => next() < p,
        pick: (list) => list[Math.floor(next() * list.length)],
        // weighted: rows of [weight, value].
        weighted(rows) {
            let n = next() * rows.reduce((sum, [w]) => sum + w, 0);
            return rows.find(([w]) => (n -= w) < 0)[1];
        },
    };
    return rng;
}

export const targets = (origin) => [
    "/", "/somewhere?x=1&y=%20z#part", `${origin}/page`, `${origin}`, origin.toUpperCase() + "/Up", `${origin}.evil.example/`, `${origin}@evil.example/`,
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example", "http:/evil", "http://evil.example/", "https://evil.example/?a=b",
    "javascript:alert(1)", "data:text/html,x", "foo", " /x", "/ x", "/ä€", "/%0d%0aX: y", "", "//", "/..//evil.example", "https://[::1", "http://", "http:\\\\evil.example\\x",
    "/go/there", "/relative", "https://friend.example/x", "/boom", "/?error=x", "ftp://evil.example/", `${origin}:1/`, `${origin.replace("//", "//user:pw@")}/`, "undefined", "null", "/'\"<>",
];

// What a provider may answer wrongly, or oddly but rightly.
export const misbehaviours = [
    { token: { status: 500 } }, { token: { status: 400, json: { error: "invalid_grant", error_description: "no" } } }, { token: { status: 401, headers: { "www-authenticate": 'Basic realm="x"' }, json: { error: "invalid_client" } } },
    { token: { status: 201 } }, { token: { body: "<html>" } }, { token: { json: [] } }, { token: { body: "null" } }, { token: { status: 302, headers: { location: "/elsewhere" } } },
    { token: { merge: { access_token: null } } }, { token: { merge: { access_token: "" } } }, { token: { merge: { access_token: 5 } } },
    { token: { merge: { token_type: "BEARER" } } }, { token: { merge: { token_type: "DPoP" } } }, { token: { merge: { token_type: 5 } } },
    { token: { merge: { expires_in: "3600" } } }, { token: { merge: { expires_in: "abc" } } }, { token: { merge: { expires_in: -1 } } }, { token: { merge: { expires_in: 0 } } }, { token: { merge: { expires_in: null } } }, { token: { merge: { expires_in: 1.5 } } }, { token: { merge: { expires_in: "12abc" } } },
    { token: { merge: { refresh_token: "r" } } }, { token: { merge: { refresh_token: "" } } }, { token: { merge: { refresh_token: 5 } } }, { token: { merge: { scope: 5 } } }, { token: { merge: { scope: "a b" } } },
    { token: { merge: { extra: { a: [1, "x", null] } } } }, { token: { headers: { "content-type": "text/plain" } } }, { token: { headers: { "content-type": "" } } },
    { token: { merge: { id_token: null } } }, { token: { merge: { id_token: "" } } }, { token: { merge: { id_token: "a.b.c" } } }, { token: { merge: { id_token: 5 } } },
    ...[{ iss: "https://evil.example" }, { iss: null }, { aud: "other" }, { aud: ["test-client"] }, { aud: ["test-client", "b"] }, { aud: ["test-client", "b"], azp: "test-client" }, { aud: [] }, { aud: 5 }, { aud: null }, { azp: "other" },
        { exp: 1 }, { exp: "9999999999" }, { exp: null }, { nbf: 9999999999 }, { nbf: "1" }, { nbf: 1 }, { iat: null }, { iat: "1" }, { iat: 9999999999 }, { sub: null }, { sub: 5 }, { sub: "" }, { jti: 5 }, { nonce: "other" }, { nonce: null }, { nonce: "" }, { auth_time: 5 }, { auth_time: -1 }, { auth_time: "x" },
        { name: null, email: null, picture: null }, { email: "UPPER@Example.COM" }, { email: 5 }, { email: "" }, { email: { a: 1 } }, { name: "" }, { name: 5 }, { nickname: "nick", name: null }, { preferred_username: "pref", name: null }, { picture: "" }, { id: "an-id" }, { name: "Ünï ☃ \u0000 x" }, { name: "<b>&\"'" },
    ].map((claims) => ({ token: { idToken: { claims } } })),
    { token: { idToken: { header: { alg: "none" } } } }, { token: { idToken: { header: { crit: ["x"] } } } }, { token: { idToken: { header: { typ: "at+jwt" } } } }, { token: { idToken: { header: { alg: "ES256" } } } }, { token: { idToken: { header: { alg: "HS256" } } } },
    { token: { idToken: { mangle: "five" } } }, { token: { idToken: { mangle: "two" } } },
    { userinfo: { status: 500 } }, { userinfo: { body: "no json" } }, { userinfo: { json: [] } }, { userinfo: { body: "null" } }, { userinfo: { body: "5" } }, { userinfo: { merge: { sub: "other" } } }, { userinfo: { merge: { sub: null } } }, { userinfo: { merge: { sub: 17 } } }, { userinfo: { merge: { sub: null, id: 12345 } } },
    { userinfo: { merge: { sub: null, id: 0 } } }, { userinfo: { merge: { sub: "" } } }, { userinfo: { merge: { email: null } } }, { userinfo: { merge: { email: 5 } } }, { userinfo: { merge: { email: "" } } }, { userinfo: { merge: { name: null } } }, { userinfo: { merge: { name: { a: 1 } } } }, { userinfo: { merge: { plan: ["x", 1.5] } } }, { userinfo: { headers: { "content-type": "text/plain" } } }, { userinfo: { status: 201 } },
];
export const people = [{ name: "refuse me" }, { name: "elsewhere" }, { name: "away" }, { name: "throw" }, { name: "nobody" }, { name: "boom" }, { name: "big" }, { name: "Grace", email: "g@x.example" }, { name: "Jürgen 李" }];

// Changes of the list of callback parameters.
const changed = (name, value) => (list) => [...list.filter(([n]) => n !== name), ...(value === undefined ? [] : [[name, value]])];
export const callbackChanges = [
    changed("code"), changed("code", ""), changed("code", "other"), changed("state"), changed("state", ""), changed("state", "other"),
    (list) => [...list, ["error", "access_denied"]], (list) => [...list, ["error", ""]], (list) => [["error", "a b<c>"], ["error_description", "\u0001"], ...list.filter(([n]) => n === "state")],
    (list) => [...list, ["iss", "https://evil.example"]], (list) => [...list, ["iss", ""]], (list) => [...list, ["id_token", "x"]], (list) => [...list, ["token", "x"]], (list) => [...list, ["response", "x"]], (list) => [...list, ["response", ""]],
    (list) => [...list, ["extra", "1"]], (list) => [...list, ["callbackUrl", "/from-callback"]], (list) => [...list].reverse(), (list) => [...list, ["code", "second"]], (list) => [["state", "first"], ...list], () => [],
];

const alter = (v) => (v.length < 5 ? `${v}x` : v.slice(0, 4) + (v[4] === "A" ? "B" : "A") + v.slice(5));
// Ways in which a browser's cookies can be wrong: the same for both sides.
async function spoil(rng, pair) {
    const { world } = pair;
    const names = [...pair.sides[0].cookies.keys()];
    const some = rng.pick(names.length ? names : Object.values(world.cookieNames));
    const kind = rng.pick(["drop", "alter", "empty", "junk", "swap", "foreign", "expired", "young", "other", "callback", "clear", "chunks", "csrf"]);
    const token = (claims, more = {}) => encode({ token: claims, secret: world.secret, salt: more.salt ?? world.cookieNames.sessionToken, maxAge: 3600, ...more });
    const session = world.cookieNames.sessionToken;
    const clean = (c) => { for (const n of [...c.keys()]) if (n.startsWith(session)) c.delete(n); };
    const put = async (value, at = session) => pair.each((c) => { if (at === session) clean(c); c.set(at, value); });
    if (kind === "drop") pair.each((c) => c.delete(some));
    if (kind === "alter") pair.each((c) => c.has(some) && c.set(some, alter(c.get(some))));
    if (kind === "empty") pair.each((c) => c.set(some, ""));
    if (kind === "junk") { const junk = rng.pick(["junk", "a.b.c.d.e", "%", "%41%zz", '"q"', "a|b|c", "|"]); pair.each((c) => c.set(some, junk)); }
    if (kind === "clear") pair.each((c) => c.clear());
    if (kind === "swap") { const names = world.cookieNames; pair.each((c) => { const [a, b] = [names.state, names.pkceCodeVerifier].map((n) => c.get(n)); if (a && b) c.set(names.state, b), c.set(names.pkceCodeVerifier, a); }); }
    if (kind === "foreign") await put(await token({ sub: "x" }, { secret: "another-secret" }));
    if (kind === "expired") await put(await token({ sub: "x", name: "Old" }, { maxAge: rng.pick([-3600, -20, -10]) }));
    if (kind === "young") await put(await token(rng.pick([{ sub: "s", name: "Sub" }, { name: "no sub" }, {}, { sub: "s", email: null, picture: "p", more: { deep: [1] } }, { sub: "u", name: "nobody" }, { nbf: 9999999999 }, { exp: "x" }, { name: 5, email: false }])));
    if (kind === "other") { const which = rng.pick(["state", "pkceCodeVerifier", "nonce"]); await put(await token(rng.pick([{ value: "v", provider: "another" }, { value: "", provider: "op" }, { provider: "op" }, { value: "v", provider: "full" }]), { salt: world.cookieNames[which] }), world.cookieNames[which]); }
    if (kind === "callback") await put(encodeURIComponent(rng.pick(targets(pair.origin))), world.cookieNames.callbackUrl);
    if (kind === "chunks") { const t = await token({ sub: "c", name: "Chunked", load: "y".repeat(rng.pick([10, 4000])) }); const cut = rng.pick([20, 3936]); pair.each((c) => { clean(c); for (let i = 0; i * cut < Math.min(t.length, cut * 3); ++i) c.set(`${session}.${i}`, t.slice(i * cut, i * cut + cut)); }); }
    if (kind === "csrf") await put(rng.pick(["abc|def", "abc", `${"a".repeat(64)}%7C${"b".repeat(64)}`]), world.cookieNames.csrfToken);
}

export const paths = ["/signin/", "//signin//", "/signin/op/extra", "/unknown", "/Signin", "/csrf/x", "/session/", "/callback", "/callback/nobody", "/callback/undefined", "/signin/undefined", "/signin/nobody", "/signin/login", "/callback/login", "/webauthn-options", "/webauthn-options/op", "/error/x", "/signout/op", "/%73ignin", "/signin/%6Fp", "/verify-request/", "/providers/"];
export const errors = ["Configuration", "AccessDenied", "Verification", "CredentialsSignin", "OAuthAccountNotLinked", "SessionRequired", "Callback", "Signin", "EmailSignin", "x y&z<", "", "OAuthCallbackError", "Default"];

// sequence does a handful of things with a new pair.
export async function sequence(rng, pair, steps) {
    const { world } = pair;
    const flows = world.providers.filter((p) => p.type !== "credentials").map((p) => p.id);
    const where = () => rng.pick(targets(pair.origin));
    const common = () => ({
        ...(rng.chance(0.1) && { headers: { "x-auth-return-redirect": rng.pick(["1", "", "0"]) } }),
        ...(rng.chance(0.12) && { query: `?callbackUrl=${encodeURIComponent(where())}` }),
    });
    const posted = () => ({
        ...common(), csrf: rng.weighted([[85, "good"], [5, "bad"], [5, "none"], [3, ""]]), ...(rng.chance(0.2) && { json: true }),
        ...(rng.chance(0.05) && { type: rng.pick(["text/plain", "multipart/form-data; boundary=x", "application/json; charset=utf-8", "APPLICATION/JSON", "application/x-www-form-urlencoded; charset=UTF-8"]) }),
        ...(rng.chance(0.03) && { type: "application/json", body: rng.pick(["", "{", "null", "5", "[]", '"x"', '{"csrfToken":5}', '{"callbackUrl":5}', '{"callbackUrl":null}', '{"callbackUrl":{}}', '{"a":1}']) }),
    });
    const wanted = () => rng.weighted([[6, {}], [4, { callbackUrl: where() }]]);
    let current = rng.pick(flows);
    const actions = [
        [8, () => pair.get("csrf", common())],
        [4, () => pair.get("providers", common())],
        [14, () => pair.get("session", common())],
        [8, () => pair.post("session", rng.pick([{}, { data: "text" }, { data: { note: [1, null] } }]), { ...posted(), json: true })],
        [2, () => pair.get("signin", rng.chance(0.5) ? common() : { query: `?error=${encodeURIComponent(rng.pick(errors))}&callbackUrl=${encodeURIComponent("/back")}` })],
        [2, () => pair.get("signout", common())],
        [3, () => pair.get("error", { query: rng.pick(["", ...errors.map((e) => `?error=${encodeURIComponent(e)}`), "?error=a&error=b"]) })],
        [2, () => pair.get("verify-request", { query: rng.pick(["", "?provider=op&type=email", "?a=%20b"]) })],
        [20, () => { current = rng.pick(flows); return pair.start(current, { ...wanted(), ...posted(), ...(rng.chance(0.15) && { query: rng.pick(["?prompt=login&login_hint=a%40b", "?scope=x", "?0=zero&z=1&10=ten", "?callbackUrl=%2Fq"]) }) }); }],
        [22, () => pair.back(rng.chance(0.93) ? current : rng.pick(flows), {
            ...(rng.chance(0.3) && { change: rng.pick(callbackChanges) }), ...(rng.chance(0.4) && { answers: rng.pick(misbehaviours) }),
            ...(rng.chance(0.3) && { user: rng.pick(people) }), ...(rng.chance(0.05) && { method: "POST" }), ...(rng.chance(0.05) && { form: true }), ...(rng.chance(0.1) && { headers: { "x-auth-return-redirect": "1" } }),
        })],
        [3, () => pair.again(current)],
        [10, () => pair.login({ password: rng.pick(["good", "good", "good", "plain", "number", "noid", "locked", "text", "boom", "wrong"]), username: rng.pick(["ada", "refuse", "elsewhere", "away", "throw", "nobody", "big", "Ü"]), ...(rng.chance(0.2) && { word: rng.pick(["x", "refuse"]) }), ...wanted() }, posted())],
        [6, () => pair.post("signout", wanted(), posted())],
        [5, () => pair.get(rng.pick(paths).replace(/^\//, ""), common())],
        [4, () => pair.post(rng.pick([...paths.map((p) => p.replace(/^\//, "")), "csrf", "providers", "error", "verify-request", "signin"]), wanted(), posted())],
        [1, () => pair.ask("method", () => ({ method: rng.pick(["PUT", "DELETE", "OPTIONS", "PATCH"]), target: pair.path("session"), headers: {} }))],
    ];
    for (let i = 0; i < steps; ++i) {
        if (rng.chance(0.12)) await spoil(rng, pair);
        if (rng.chance(0.05)) pair.swap();
        await rng.weighted(actions)();
    }
}

// --- Over two stores -----------------------------------------------------------------------------

const day = 86_400_000;
const table = (twins, name) => `"${twins.tables.find((t) => t.toLowerCase() === name)}"`;
// expires: the session that the browser has ends in so many ms.
const expires = (twins, tokens, ms) => twins.change(`UPDATE ${table(twins, "session")} SET expires = ? WHERE "sessionToken" = ?`, (which) => [twins.date(Date.now() + ms), tokens[which]]);
const of = (twins, tokens, sql) => twins.change(sql.replaceAll("{user}", `(SELECT "userId" FROM ${table(twins, "session")} WHERE "sessionToken" = ?)`), (which) => [tokens[which]]);
// What can befall the rows behind a site's back, the same on both sides.
export const strikes = {
    "the session expired": (twins, tokens) => expires(twins, tokens, -5000),
    "the session is due": (twins, tokens) => expires(twins, tokens, 600_000),
    "the session is young": (twins, tokens) => expires(twins, tokens, 365 * day),
    "the session is gone": (twins, tokens) => twins.change(`DELETE FROM ${table(twins, "session")} WHERE "sessionToken" = ?`, (which) => [tokens[which]]),
    "the user is gone": (twins, tokens) => of(twins, tokens, `DELETE FROM ${table(twins, "user")} WHERE id = {user}`),
    "the accounts are gone": (twins) => twins.change(`DELETE FROM ${table(twins, "account")}`),
    "the user has another name": (twins) => twins.change(`UPDATE ${table(twins, "user")} SET name = 'Renamed "ü"', image = NULL`),
    "the user has nothing": (twins) => twins.change(`UPDATE ${table(twins, "user")} SET name = NULL, image = NULL, "emailVerified" = NULL`),
    "links expire": (twins) => twins.change(`UPDATE ${table(twins, "verificationtoken")} SET expires = ?`, () => [twins.date(Date.now() - 1000)]),
    "everything is gone": (twins) => twins.change(`DELETE FROM ${table(twins, "user")}`),
};

const addresses = ["ada@example.com", "Bob@Example.com", "carol@example.com"];
// Who comes back from a provider: few people with few addresses, so that they meet.
const somebody = (rng) => ({
    sub: `sub-${rng.pick([1, 2, 3])}`, name: rng.pick(["Ada", "Bob", "refuse", "boom", "nobody", "Zoë", "", null]),
    email: rng.pick([...addresses, ...addresses, null, "refuse@example.com"]), picture: rng.pick(["https://img.example/x.png", null, ""]),
});

// What a JavaScript driver of SQLite makes of numbers ("5.0"), objects and NUL in a text column is its
// own affair.
const plain = (members = {}) => ["name", "sub", "id", "picture"].every((n) => members[n] == null || (typeof members[n] === "string" && !members[n].includes("\0")));
export const storable = misbehaviours.filter(({ token, userinfo }) => plain(userinfo?.merge) && plain(token?.idToken?.claims));

// storedSequence does a handful of things with a new pair of a world that has a store.
export async function storedSequence(rng, pair, steps) {
    const { world } = pair;
    const flows = world.providers.filter((p) => p.type === "oauth" || p.type === "oidc").map((p) => p.id);
    const wanted = () => rng.weighted([[6, {}], [2, { callbackUrl: rng.pick(["/in", "/in?x=1&y=2", "/auth/signin", "//evil.example"]) }]]);
    let current = rng.pick(flows);
    const actions = [
        [30, () => { current = rng.pick(flows); return pair.signIn(current, { ...wanted(), user: somebody(rng), ...(rng.chance(0.15) && { change: rng.pick(callbackChanges) }), ...(rng.chance(0.1) && { answers: rng.pick(storable) }) }); }],
        [3, () => pair.again(current)],
        [16, () => pair.get("session")],
        [5, () => pair.post("session", rng.pick([{}, { data: "text" }, { data: { note: [1, null] } }]), { json: true })],
        [12, async () => { await pair.mail(rng.pick([...addresses, ...addresses, " ADA@Example.com", "refuse@example.com", "bounce@example.com", "nobody"]), wanted()); if (rng.chance(0.8)) await pair.link(); }],
        [5, () => pair.link(rng.chance(0.3) ? { change: (q) => q.set("email", rng.pick(["eve@example.com", "", "ADA@example.com"])) } : {})],
        [7, () => pair.post("signout", wanted())],
        [10, () => pair.strike(rng.pick(Object.keys(strikes)))],
        [8, () => pair.forget()],
        [3, () => pair.each((c) => c.set(world.cookieNames.sessionToken, "nobody's"))],
        [8, () => pair.swap()],
    ];
    for (let i = 0; i < steps; ++i) await rng.weighted(actions)();
}
