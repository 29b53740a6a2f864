// What is sent on a person's way in, by every provider under every option: the authorization request,
// the token request, userinfo and what follows it, from the module and from the real Auth.js.
// Each run draws some options for each provider: AUTHJS_SEED=n repeats it, AUTHJS_CASES=n says how
// many (all: all), AUTHJS_PROVIDER=id asks one provider only.
import assert from "node:assert";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { generator } from "../lib/random.mjs";
import { answersOf, callbackReal, core, providerOf, samples, seed, signInReal, withCore } from "../lib/signins.mjs";
import { linesOf } from "../lib/vectors.mjs";

const count = process.env.AUTHJS_CASES ?? "1";
const rng = generator(seed);

withCore();

// --- What may be configured ------------------------------------------------------------------------

const mine = "https://own.example/a";
const odd = { clientId: "id é+&=%/:~'()*!", clientSecret: "s:e c%r+/é~'()*!\"" };
// Of every provider: [title, options, query of the sign-in request].
const general = [
    ["as it is", {}],
    ["parameters of the sign-in request", {}, "login_hint=ada%40example.com&tenant=t&product=p&domain=example.com&prompt=login&x=a+b%26c"],
    ["scope of the sign-in request", {}, "scope=one+two"],
    ["no scope of the sign-in request", {}, "scope="],
    ["scope", { authorization: { params: { scope: "one two:three" } } }],
    ["no scope", { authorization: { params: { scope: "" } } }],
    ["parameters", { authorization: { params: { prompt: "consent", access_type: "offline", max: 5, yes: true, text: "a b&c=d'é" } } }],
    ["no checks", { checks: [] }],
    ["state", { checks: ["state"] }],
    ["nonce", { checks: ["nonce"] }],
    ["all checks", { checks: ["pkce", "state", "nonce"] }],
    ["credentials in the header", { client: { token_endpoint_auth_method: "client_secret_basic" } }],
    ["credentials in the body", { client: { token_endpoint_auth_method: "client_secret_post" } }],
    ["no secret", { client: { token_endpoint_auth_method: "none" } }],
    ["odd credentials", odd],
    ["odd credentials in the header", { ...odd, client: { token_endpoint_auth_method: "client_secret_basic" } }],
    ["odd credentials in the body", { ...odd, client: { token_endpoint_auth_method: "client_secret_post" } }],
    ["own endpoints", { authorization: { url: `${mine}/authorize?x=1`, params: { scope: "mine" } }, token: { url: `${mine}/token/?y=2` }, userinfo: { url: `${mine}/me?z=3&z=4` } }],
    ["own authorization endpoint", { authorization: { url: `${mine}/authorize?a=b%20c`, params: { scope: "s" } } }],
    ["own token endpoint", { token: { url: `${mine}/t/token/` } }],
    ["own userinfo endpoint", { userinfo: { url: `${mine}/userinfo` } }],
    ["own name", { name: "Own" }],
];
const own = {
    "azure-ad": [["photo", { profilePhotoSize: 96 }], ["tenant", { issuer: "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0" }]],
    "azure-devops": [["scope", { scope: "vso.code" }]],
    battlenet: [["eu", { issuer: "https://eu.battle.net/oauth" }], ["china", { issuer: "https://www.battlenet.com.cn/oauth" }]],
    "boxyhq-saml": [["path", { issuer: "https://sso.example/path" }]],
    descope: [["own issuer", { issuer: "https://api.example.com/P123" }]],
    dribbble: [["scope", { scope: "public upload" }]],
    foursquare: [["version", { apiVersion: "20240101" }]],
    frontegg: [["path", { issuer: "https://acme.example/path" }]],
    fusionauth: [["tenant", { tenantId: "5f8a-1" }]],
    github: [["enterprise", { enterprise: { baseUrl: "https://ghe.example" } }], ["enterprise with a path", { enterprise: { baseUrl: "https://ghe.example/code" } }]],
    gitlab: [["own", { baseUrl: "https://git.example" }], ["slash", { baseUrl: "https://git.example/" }], ["path", { baseUrl: "https://git.example/lab/" }], ["port", { baseUrl: "http://git.example:8080" }]],
    keycloak: [["path", { issuer: "https://id.example/auth/realms/a%20b" }], ["port", { issuer: "http://id.example:8080/realms/x" }]],
    mastodon: [["path", { issuer: "https://social.example/path" }]],
    mattermost: [["path", { issuer: "https://chat.example/team" }]],
    "microsoft-entra-id": [["photo", { profilePhotoSize: 240 }], ["tenant", { issuer: "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0" }]],
    netsuite: [["account", { accountID: "123_SB1", issuer: "https://x.example" }]],
    nextcloud: [["path", { issuer: "https://cloud.example/index.php" }]],
    notion: [["redirect", { redirectUri: "https://other.example/back" }]],
    osso: [["path", { issuer: "https://osso.example/path/" }]],
    webex: [["base", { apiBaseUrl: "https://api.example/v2" }]],
    wechat: [["site", { platformType: "WebsiteApp" }], ["account", { platformType: "OfficialAccount" }]],
    workos: [["own", { issuer: "https://auth.example/" }], ["connection", { connection: "conn_1" }], ["organization", { authorization: { params: { organization: "org_1" } } }]],
    zitadel: [["path", { issuer: "https://z.example/tenant" }]],
};

// What Auth.js does with these is an accident: a list is laid over a list by place, parameters without
// a URL over a URL that is a text, and a template or a query of its own goes with the URL.
const templated = ["azure-devops", "bungie", "foursquare", "hubspot", "netsuite", "nextcloud", "notion", "todoist", "wechat"];
function accident(provider, { checks, authorization, userinfo, token }) {
    if (checks && (provider.checks?.length ?? 0) > checks.length) return true;
    if (authorization && typeof provider.authorization === "string" && (!authorization.url || new URL(provider.authorization).search)) return true;
    if (provider.type === "oidc" && !provider.token?.url && Boolean(token) !== Boolean(userinfo)) return true;
    if (token && provider.id === "wechat") return true;
    return Boolean(userinfo) && templated.includes(provider.id);
}

// configured: the sample under other options, whose documents name the new issuer and client.
function configured(sample, change) {
    const { options } = sample.variant;
    let text = JSON.stringify(sample.variant);
    const replace = (from, to) => { if (from && to && from !== to) text = text.replaceAll(JSON.stringify(from).slice(1, -1), JSON.stringify(to).slice(1, -1)); };
    replace(options.issuer ?? sample.file.config?.issuer, change.issuer);
    if (/microsoftonline/.test(change.issuer)) replace("{tenantid}", change.issuer.split("/")[3]);
    if (change.clientId) replace('"aud":"client-id"'.slice(7, -1), change.clientId);
    return { ...sample, variant: { ...JSON.parse(text), options: { ...options, ...change } } };
}

// --- Comparing -------------------------------------------------------------------------------------

const aside = (rq) => /\/\.well-known\//.test(rq.url) || /keys|certs|jwks|discovery\/v/.test(rq.url);
const parameters = (text) => Object.fromEntries([...new URLSearchParams(text)].sort());
function pictured(rq) {
    const url = URL.canParse(rq.url) ? new URL(rq.url) : { origin: "", pathname: rq.url, searchParams: [] };
    const form = /form-urlencoded/.test(rq.headers["content-type"] ?? "");
    const text = form ? parameters(rq.body) : rq.body;
    if (form && text.code_verifier) text.code_verifier = "some";
    return { method: rq.method, url: url.origin + url.pathname, query: [...url.searchParams], body: text };
}
function headerFaults(title, real, ours) {
    const faults = [];
    for (const [name, value] of Object.entries(real)) {
        if (name === "user-agent" && value.startsWith("oauth4webapi")) continue;
        const clean = (v) => (name === "content-type" ? v?.toLowerCase().replace(/; *charset=utf-8$/, "") : name === "accept" ? v?.split(/, */).sort().join() : v);
        if (clean(ours[name]) !== clean(value)) faults.push(`${title} ${name}: Auth.js ${value}, the module ${ours[name]}`);
    }
    for (const [name, value] of Object.entries(ours)) if (!(name in real) && !["accept", "user-agent"].includes(name)) faults.push(`${title} ${name}: only the module, ${value}`);
    return faults;
}
const differ = (title, a, b) => (isDeepStrictEqual(a, b) ? [] : [`${title}:\n      Auth.js    ${JSON.stringify(a)}\n      the module ${JSON.stringify(b)}`]);

// What the hosts say, those of `mine` too.
function answers(sample) {
    const list = answersOf(sample), of = (role) => list.find((a) => a.role === role);
    return [...list, { ...of("token"), url: `${mine}/token/?y=2` }, { ...of("token"), url: `${mine}/t/token/` },
        ...(of("userinfo") ? [{ ...of("userinfo"), url: `${mine}/me?z=3&z=4` }, { ...of("userinfo"), url: `${mine}/userinfo` }] : [])];
}
async function ask(sample, change, query) {
    const { file, variant } = sample;
    const { default: make } = await import(`@auth/core/providers/${file.module}`);
    if (accident(make(structuredClone({ ...variant.options, checks: undefined })), change)) return null;
    const provider = await providerOf(file.module, variant.options);
    const real = await signInReal(provider, query, answers(sample)).catch((e) => ({ why: e.message }));
    const key = `${file.id} ${sample.title}`;
    await core.declare(key, file.id, linesOf(file.id, variant.options));
    return { sample, query, provider, real, key };
}

test("requests of every provider under every option", async (t) => {
    const all = [], faults = [];
    for (const s of samples)
        for (const [title, change, query = ""] of [general[0], ...(count === "all" ? general.slice(1) : Array.from({ length: Number(count) }, () => rng.pick(general))), ...(own[s.file.id] ?? []).map(([title, ...more]) => [`own ${title}`, ...more])].filter((o, i, l) => l.indexOf(o) === i)) {
            const sample = { ...configured(s, change), title: `${s.key} ${title}` };
            const one = await ask(sample, change, query);
            if (one) all.push(one);
        }
    for (const { sample, query, provider, real, key } of all) {
        const wrong = [];
        const ours = await core.start(key, query, answers(sample));
        if (real.why) { if (ours.location.startsWith("https://app.example.com") === false) wrong.push(`sign-in: Auth.js ${real.why}, the module ${ours.location}`); }
        else {
            const [a, b] = [real.location, ours.location].map((l) => new URL(l));
            wrong.push(...differ("authorization URL", a.origin + a.pathname, b.origin + b.pathname));
            const list = (u) => Object.fromEntries([...u.searchParams].map(([k, v]) => [k, ["state", "nonce", "code_challenge"].includes(k) ? "some" : v]).sort());
            const [want, got] = [list(a), list(b)];
            if (!("state" in want)) delete got.state;
            wrong.push(...differ("authorization request", want, got));
            wrong.push(...differ("discovery", [...new Set(real.outbound.map((r) => r.url))], [...new Set(ours.outbound.map((r) => r.url))]));
            const back = async (url, cookies, ask) => {
                const variant = structuredClone(sample.variant), nonce = url.searchParams.get("nonce");
                for (const rq of variant.callback.outbound) {
                    const claims = rq.response.json?.id_token?.$jwt.claims;
                    if (claims) { delete claims.nonce; if (nonce) claims.nonce = nonce; }
                }
                const { query: given, form } = variant.callback.request;
                const params = { ...given, ...form };
                delete params.state;
                if (url.searchParams.get("state")) params.state = url.searchParams.get("state");
                return ask({ params, answers: answers({ ...sample, variant }), cookies });
            };
            const did = await back(a, real.cookies, (c) => callbackReal(provider, c));
            const does = await back(b, {}, (c) => core.back(key, c.params, c.answers));
            if (did.outcome !== does.outcome) wrong.push(`outcome: Auth.js ${did.outcome} (${did.why ?? ""}), the module ${does.outcome} (${does.why})`);
            const [sent, sends] = [did.outbound, does.outbound].map((l) => l.filter((r) => !aside(r)));
            wrong.push(...differ("requests", sent.map(pictured), sends.map(pictured)));
            if (sent.length === sends.length) sent.forEach((r, i) => wrong.push(...headerFaults(r.url.slice(0, 60), r.headers, sends[i].headers)));
            if (did.outcome === "signed-in" && does.outcome === "signed-in") {
                const bare = ({ user, account }) => JSON.parse(JSON.stringify({ user: { ...user, id: undefined }, account: { ...account, id_token: undefined } }), (_, v) => (Math.abs(v - Date.now() / 1000) < 1e5 ? "soon" : v));
                wrong.push(...differ("user and account", bare(did), bare(does)));
            }
        }
        if (wrong.length) faults.push(`${key}\n    ${wrong.join("\n    ")}`);
    }
    t.diagnostic(`AUTHJS_SEED=${seed}: ${all.length} configurations`);
    assert.ok(!faults.length, `${faults.length} of ${all.length} differ, AUTHJS_SEED=${seed}\n${faults.slice(0, Number(process.env.AUTHJS_SHOW ?? 40)).join("\n")}`);
});
