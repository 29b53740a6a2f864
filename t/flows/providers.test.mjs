// Each provider of the catalogue: its vector through nginx, and the same sign-in by somebody who has
// no address, no name and no picture, which must end as it does in the real Auth.js.
import assert from "node:assert";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { modulePath, startNginx } from "../lib/nginx.mjs";
import { oracle } from "../lib/oracle.mjs";
import { Judge, World, hostsOf, judgeResult, play, playAll, readSamples, rounds, startRound } from "../lib/vectors.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const samples = () => readSamples(path.join(root, "t/vectors/providers"));
const first = (list) => list.filter((s, i) => list.findIndex((x) => x.file.id === s.file.id) === i && s.file.type !== "email");
const catalogue = fs.readdirSync(path.join(root, "providers")).map((f) => JSON.parse(fs.readFileSync(path.join(root, "providers", f), "utf8")));

test("nginx accepts every provider with the variables it declares, and no others", async () => {
    const env = { AUTH_SECRET: "0123456789abcdef0123456789abcdef" };
    const values = { issuer: "https://id.example.com", account_id: "1", transactional_id: "t" };
    for (const p of catalogue) {
        const part = `AUTH_${p.id.toUpperCase().replaceAll("-", "_")}_`;
        for (const name of p.type === "email" ? ["KEY"] : ["ID", "SECRET"]) env[part + name] = "x";
        for (const [name, spec] of Object.entries(p.options ?? {}))
            if (spec.required && name !== "api_key") env[part + name.toUpperCase()] = spec.enum?.[0] ?? (values[name] ?? "https://o.example.com") + (spec.slash === "required" ? "/" : "");
    }
    const nginx = await startNginx({ env, server: `
        auth_js_providers ${catalogue.map((p) => p.id).join(" ")};
        auth_js_adapter sqlite {{prefix}}/db/all.db;
        auth_js_url https://app.example.com;
        location /auth/ { auth_js_handler; }` });
    const listed = await (await fetch(`${nginx.origin}/auth/providers`)).json();
    assert.deepStrictEqual(Object.keys(listed).sort(), catalogue.map((p) => p.id).sort());
    await nginx.stop();
});

test("wrong use is explained by nginx -t", async () => {
    const keys = "client_id a; client_secret b;";
    const rows = [
        ["auth_js_providers gihub;", /unknown provider "gihub"; did you mean github/],
        ["auth_js_providers github;", /client_id is missing: write "client_id \.\.\.;" in its block or set the variable AUTH_GITHUB_ID/],
        [`auth_js_provider keycloak { ${keys} }`, /issuer is missing.*AUTH_KEYCLOAK_ISSUER/],
        [`auth_js_provider mastodon { ${keys} issuer https://m.example/; }`, /must not end with a slash/],
        [`auth_js_provider osso { ${keys} issuer https://o.example; }`, /must end with a slash/],
        [`auth_js_provider github { ${keys} enterprise_url x; }`, /"enterprise_url" is unknown; did you mean enterprise_base_url/],
        [`auth_js_provider battlenet { ${keys} issuer https://ue.battle.net/oauth; }`, /is none of .*did you mean https:\/\/us\.battle\.net\/oauth/],
        [`auth_js_url http://localhost:3000; auth_js_provider slack { ${keys} }`, /accepts only https callback URLs/],
        [`auth_js_provider apple { ${keys} redirect_proxy_url https://p.example/auth; }`, /redirect_proxy_url cannot be used with response_mode=form_post/],
        [`auth_js_provider github { ${keys} profile '.id | nosuch'; }`, /jq filter: nosuch\/0 is not defined/],
        ["auth_js_provider x { type webauthn; }", /not in this version/],
    ];
    for (const [lines, says] of rows) {
        const failure = await startNginx({ server: `auth_js_secret 0123456789abcdef0123456789abcdef; ${lines} location /auth/ { auth_js_handler; }` }).then((n) => n.stop().then(() => "accepted"), (e) => e.message);
        assert.match(failure, says, lines);
        assert.match(failure, /nginx\.conf:\d+/, "names its place");
    }
    const warned = await startNginx({ server: `auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_url https://app.example.com; auth_js_redirect_proxy_url https://p.example/auth;
        auth_js_provider azure-ad { ${keys} } auth_js_provider apple { ${keys} } location /auth/ { auth_js_handler; }` });
    await warned.stop();
    assert.match(warned.stderr, /"azure-ad" is deprecated: use "microsoft-entra-id"/);
    assert.match(warned.stderr, /provider "apple" answers with a form.*cannot go through auth_js_redirect_proxy_url/);
});

test("every provider's vector passes", async () => {
    const list = samples();
    const results = await playAll(list);
    assert.deepStrictEqual(results.filter((r) => r.faults.length).map((r) => [r.sample.name, r.faults]), []);
    const played = new Set(results.map((r) => r.sample.file.id));
    assert.deepStrictEqual(catalogue.map((p) => p.id).filter((id) => !played.has(id)), []);
});

// Whatever a profile may call an address, a name or a picture.
const personal = /^(e-?mails?|email_?address|default_email|(given|family|first|last|middle|full|display|real|nick|preferred|account|usual_full|global)_?(user)?_?names?|names?|nickname|username|picture|avatar.*|image.*|photo.*|profile_?(image|picture|photo).*|.*_picture_url|icon.*|pic_url|headimgurl|userPrincipalName|upn|battle_tag|displayname|CharacterName|guid_name|handle|img_url|discriminator|banner)$/i;
const without = (v) => (Array.isArray(v) ? v.map(without) : v && typeof v === "object" ? Object.fromEntries(Object.entries(v).filter(([k]) => !personal.test(k)).map(([k, x]) => [k, without(x)])) : v);
function nobody(sample) {
    const variant = structuredClone(sample.variant);
    for (const rq of variant.callback.outbound) {
        if (rq.role === "token") { const token = rq.response.json; if (token?.id_token?.$jwt) token.id_token.$jwt.claims = without(token.id_token.$jwt.claims); }
        else if (rq.response.jwt) rq.response.jwt.$jwt.claims = without(rq.response.jwt.$jwt.claims);
        else if (rq.response.json && rq.role !== "discovery") rq.response.json = without(rq.response.json);
    }
    return { ...sample, variant };
}
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("somebody without address, name and picture gets as far as in Auth.js", async () => {
    const list = first(samples()).map(nobody);
    const world = await new World().start(hostsOf(list));
    const outcomes = {};
    try {
        for (const s of list.filter((x) => x.file.shipped)) {
            const made = s.made = await oracle(s);
            s.variant.callback.outbound.push(...made.asked);
            delete made.asked;
            outcomes[made.outcome] = (outcomes[made.outcome] ?? 0) + 1;
            if (made.user) made.user.id = "{{user_id}}";
        }
        const faults = [];
        for (const round of rounds(list.filter((s) => s.made))) {
            const nginx = await startRound(world, round);
            for (const s of round) {
                const seen = await play(world, nginx, s);
                // A nobody under a random id, whom Auth.js would make anew each time, is refused.
                const random = s.made.outcome === "signed-in" && uuid.test(s.made.account.providerAccountId) && !JSON.stringify(s.variant.callback.outbound).includes(s.made.account.providerAccountId);
                const judge = new Judge({ ...s, variant: { ...s.variant, tags: ["undefined"] } }, seen);
                if (random) { if (seen.session) judge.fault("result", "signed in", "refused"); } else judgeResult(judge, s.made, seen);
                if (judge.faults.length) faults.push([s.name, s.made.outcome, judge.faults]);
            }
            await nginx.stop();
        }
        assert.deepStrictEqual(faults, []);
        assert.ok(outcomes["signed-in"] > 50 && outcomes["profile-error"] > 0, JSON.stringify(outcomes));
    } finally {
        world.stop();
    }
});
