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
    "/go/there", "/relative", "https://friend.example/x", "/boom", "/?error=x", "ftp://evil.example/", `${origin}:1/`, `${origin.replace("//", "//user:pw@")}/`, "undefined", "null", "/'\"<>", "/ü", "/\ttab", `/${"p".repeat(5000)}`,
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

export const paths = ["/signin/", "//signin//", "/signin/op/extra", "/unknown", "/Signin", "/csrf/x", "/session/", "/callback", "/callback/nobody", "/callback/undefined", "/signin/undefined", "/signin/nobody", "/signin/login", "/callback/login", "/webauthn-options", "/webauthn-options/op", "/error/x", "/signout/op", "/%73ignin", "/signin/%6Fp", "/verify-request/", "/providers/", "/./csrf", "/x/../session", "/signin/op/.", "/signin\\op", "/csrf?x='\"<", "/signout?x='\"<", "/verify-request?x='"];
export const errors = ["Configuration", "AccessDenied", "Verification", "CredentialsSignin", "OAuthAccountNotLinked", "SessionRequired", "Callback", "Signin", "EmailSignin", "x y&z<", "", "OAuthCallbackError", "Default"];

// --- Requests that no page makes -----------------------------------------------------------------

const actionNames = ["csrf", "providers", "session", "signin", "signout", "error", "verify-request", "callback", "webauthn-options"];
const oddMethods = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND", "FOO"];

// A path under the base path, seldom a usual one.
function oddPath(rng, pair) {
    const { basePath, providers } = pair.world;
    const ids = [...providers.map((p) => p.id), "nobody", "undefined", "null", "OP", "op%20", "%6Fp", "__proto__", "constructor", "toString", "op;a=b", "op:1", "%C3%A9", "a%2Fb", ".", "", "-", "op.", "~op", "op'", "op(", "*"];
    const name = rng.weighted([[12, rng.pick(actionNames)], [1, rng.pick(["Signin", "CSRF", "sign", "signin2", "unknown", "%73ignin", "signin%2Fop", "session.json", "verify_request", "_log", "__proto__", "constructor", "csrf%20", "%20csrf", "csrf;x", "favicon.ico", "%63srf"])]]);
    const between = () => rng.weighted([[12, "/"], [1, "//"], [1, "///"], [1, "/./"], [1, "\\"]]);
    return basePath + rng.pick(["/", "/", "//", "/./"]) + name + (rng.chance(0.45) ? between() + rng.pick(ids) : "") + rng.weighted([[10, ""], [2, "/"], [1, "//"], [1, "/extra"], [1, "/extra/"], [1, ";"], [1, "/."], [1, "/.."], [1, "/x/.."]]);
}
const words = ["", "x", "/", "a b", "a+b", "%20", "ü", "☃", "\u{1F600}", "<b>\"'&", "\0", "\r\nX: y", "null", "undefined", "true", "0", "[]", "{}", "x".repeat(3000)];
function oddQuery(rng, pair) {
    const names = ["callbackUrl", "callbackUrl", "callbackUrl", "error", "error", "code", "state", "email", "prompt", "scope", "response_mode", "token", "id", "iss", "a", "0", "10", "2", "a[]", "__proto__", "ü", "a b", ""];
    const written = (text) => rng.weighted([[8, encodeURIComponent(text)], [2, new URLSearchParams([["", text]]).toString().slice(1)], [1, encodeURI(text).replace(/[&#]/g, "")], [1, text.replace(/[^!-~]|[#&]/g, "")]]);
    const value = (name) => (name === "callbackUrl" ? rng.pick(oddTargets(pair.origin)) : name === "error" ? rng.pick([...errors, "accessdenied", "ACCESSDENIED", "constructor1", "SessionTokenError", "Unavailable2", "OAuthSignin", "OAuthCreateAccount", "EmailCreateAccount", "configuration", " Configuration", "Configuration ", "MissingCSRF", "ü", "a&b=c", "%"]) : rng.pick(words));
    let out = "";
    for (let n = rng.pick([0, 1, 1, 2, 3, 5]); n > 0; --n) {
        const name = rng.pick(names);
        if (name === "email") { out += `&${name}=${rng.pick(["x", "a%40b.example", ""])}`; continue; }
        out += rng.weighted([[10, "&"], [1, "&&"], [1, "&=&"], [1, ";"]]) + written(name) + rng.weighted([[12, `=${written(value(name))}`], [1, ""], [1, "="], [1, "=a=b"], [1, "=%"], [1, "=%zz%C3"], [1, "=%E4"]]);
    }
    return out && `?${out.slice(1)}`;
}
export const oddTargets = (origin) => [
    ...targets(origin), `${origin}/a b`, `${origin}/ü?q=☃#ß`, `${origin}#frag`, `${origin}?x`, `${origin}/../..//x`, `${origin}\\x`, `${origin}:80/`, `${origin}:443/x`, `${origin}./`, `${origin}/%00`, `\t${origin}/tab`, ` ${origin}/space `, `${origin}\n/x`, "/\ttab", "/\nline", "/a\rb", "\u00a0/x", "/\u2028", "/x#", "/#a?b", "/?", "?x=1", "#x", "./x", "../x", "x/y", "http:", "https:", "https:/x", "https:///evil.example/x", "HTTP://EVIL.example", "//evil.example\\@x", "/\t/evil.example", "/%2F/evil.example", "/%5Cevil", "\\/evil.example", "https://evil.example\u3002com", "https://exämple.org/", "http://[::1]/", "http://1.1/", "http://0x7f.1/", "http://%31/", "http://a%00b/", "http://user@", "http://:80/", "http://a:99999/", "blob:http://x/y", "mailto:a@b", "about:blank", "file:///etc/passwd", "view-source:http://x", "/" + "p".repeat(3500), "/" + "p".repeat(5000), `${origin}/${"ü".repeat(900)}`,
];

// A CSRF cookie's value (as on the wire) and the body's token.
function oddCsrf(rng, side) {
    const raw = side.cookies.get(side.csrfName) ?? "";
    const [token = "", hash = ""] = raw.split(/%7C|\|/);
    return rng.pick([
        [raw, token], [raw, token], [raw, token], [`${token}|${hash}`, token], [`${token}%7c${hash}`, token], [`${token}%257C${hash}`, token], [`${token}%7C${hash}%7Cx`, token], [`${token}|${hash}|`, token], [`|${hash}`, ""], [`${token}|`, token], [token, token], [`${token}${hash}`, token], [`${hash}|${token}`, hash],
        [`${token}|${hash.toUpperCase()}`, token], [`${token.toUpperCase()}|${hash}`, token.toUpperCase()], [`"${token}|${hash}"`, token], [` ${token}|${hash} `, token], [`${token} |${hash}`, token], [raw, token.toUpperCase()], [raw, `${token} `], [raw, ` ${token}`], [raw, token.slice(1)], [raw, `${token}|${hash}`], [raw, ""], [raw, undefined], [undefined, token], ["", token], ["%", "%"], ["|", ""], ["%7C", ""], [`${"0".repeat(64)}|${"0".repeat(64)}`, "0".repeat(64)],
    ]);
}
const types = ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-16", "application/problem+json", "text/json", "Application/Json", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=UTF-8", "application/x-www-form-urlencoded;charset=iso-8859-1", "Application/X-WWW-Form-Urlencoded", "multipart/form-data; boundary=b", "text/plain", "text/plain; x=application/json", "application/octet-stream", "x", "application/x-www-form-urlencoded, application/json", ""];

function oddBody(rng, pair, token, type) {
    const { origin } = pair;
    const fields = { ...(token !== undefined && { csrfToken: token }), ...(rng.chance(0.5) && { callbackUrl: rng.pick(oddTargets(origin)) }), ...(rng.chance(0.4) && { username: rng.pick(["ada", "ü", "", "\0"]), password: rng.pick(["good", "plain", "wrong"]) }), ...(rng.chance(0.2) && { data: rng.pick(words) }), ...(rng.chance(0.1) && { "": "empty", "a b": "1", 7: "7" }) };
    if (type.includes("json") && rng.chance(0.85)) {
        const text = JSON.stringify({ ...fields, ...(rng.chance(0.3) && { data: rng.pick([null, true, 0, 1.5, [], {}, [1, [2, { a: null }]], { user: { name: "N", email: null } }, { deep: { deep: { deep: { deep: 1 } } } }, "x", "\ud83d\ude00", { exp: 1, sub: "x", iat: 5, jti: "j" }]) }) });
        return rng.pick([text, text, text, text, text, ` ${text} `, text.replace("{", "{\n"), `\ufeff${text}`, `${text},`, text.slice(0, -1), `[${text}]`, `{"csrfToken":${JSON.stringify(token ?? null)},"csrfToken":"x"}`, `{"csrfToken":"x","csrfToken":${JSON.stringify(token ?? null)}}`, `{"csrfToken":[${JSON.stringify(token ?? null)}]}`, `{"csrfToken":{"a":1}}`, `{"CSRFTOKEN":${JSON.stringify(token ?? null)}}`, `{"csrfToken":${JSON.stringify(token ?? null)},"data":1e999}`, `{"csrfToken":${JSON.stringify(token ?? null)},"data":12345678901234567890}`, `{"csrfToken":${JSON.stringify(token ?? null)},"data":"\\ud800"}`, `{"csrfToken":${JSON.stringify(token ?? null)},"data":{"__proto__":1,"a":-0}}`, '"', "nul", "NaN", "1 2", "'a'", "", " ", "[[[[[[1]]]]]]", "{\"a\":01}", "\u0000", "true", "false"]);
    }
    const text = new URLSearchParams(fields).toString();
    return rng.pick([text, text, text, text, `${text}&csrfToken=x`, `csrfToken=x&${text}`, `&&${text}&`, text.replaceAll("+", "%20"), `${text}&a=%zz&b=%C3&=&c`, text.replace("csrfToken", "csrf%54oken"), text.replace("csrfToken", " csrfToken"), JSON.stringify(fields), "", "&", "=", "\u0000", `--b\r\nContent-Disposition: form-data; name="csrfToken"\r\n\r\n${token}\r\n--b--\r\n`, `${text}&pad=${"x".repeat(20000)}`]);
}

export async function odd(rng, pair) {
    const method = rng.weighted([[8, "GET"], [10, "POST"], [2, rng.pick(oddMethods)]]);
    const usual = rng.chance(0.6);
    const target = (usual ? pair.path(rng.weighted([[6, rng.pick(actionNames)], [4, `${rng.pick(["signin", "callback"])}/${rng.pick(pair.world.providers).id}`]])) : oddPath(rng, pair)) + (rng.chance(0.6) ? oddQuery(rng, pair) : "");
    const type = rng.weighted([[3, "application/json"], [3, "application/x-www-form-urlencoded"], [2, rng.pick(types)]]);
    const fork = rng.next() * 2 ** 32, strange = rng.chance(0.4), over = rng.chance(0.15) ? rng.pick(["1", "", "0", "false"]) : undefined;
    if (pair.world.csrf && pair.sides.some((s) => !s.csrf) && rng.chance(0.8)) await pair.get("csrf");
    return pair.ask(`odd ${method} ${target.slice(0, 120)}`, (side) => {
        const own = generator(fork);
        const cookies = new Map(side.cookies);
        let token = side.csrf || undefined;
        if (pair.world.csrf && strange) {
            const [value, said] = oddCsrf(own, side);
            token = said;
            value === undefined ? cookies.delete(side.csrfName) : cookies.set(side.csrfName, value);
        }
        const headers = { cookie: [...cookies].map(([n, v]) => `${n}=${v}`).join("; "), ...(over !== undefined && { "x-auth-return-redirect": over }) };
        if (method !== "POST") return { method, target, headers };
        const body = oddBody(own, pair, token, type);
        return { method, target, headers: { ...headers, ...(type && { "content-type": type }) }, body };
    });
}

// sequence does a handful of things with a new pair.
export async function sequence(rng, pair, steps, oddity = 1) {
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
        [30 * oddity, () => odd(rng, pair)],
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
