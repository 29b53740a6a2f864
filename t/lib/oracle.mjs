// The real Auth.js (npm, pinned) signing somebody in with a provider whose answers a vector holds: no
// network, one request after the other. What it makes of other answers is what the module is held to.
import { Auth } from "@auth/core";
import { answerOf, fill, sameUrl } from "./vectors.mjs";

const site = "https://app.example.com";

// general puts placeholders, as the vectors have them, where a value is of this run only.
function general(v, nonce) {
    const now = Math.floor(Date.now() / 1000);
    if (typeof v === "number" && Math.abs(v - now) < 40_000_000) return { $now: v - now };
    if (v === null || typeof v !== "object") return nonce && v === nonce ? "{{nonce}}" : v;
    return Array.isArray(v) ? v.map((x) => general(x, nonce)) : Object.fromEntries(Object.entries(v).map(([k, x]) => [k, k === "id_token" ? "{{id_token}}" : general(x, nonce)]));
}

// oracle answers { outcome, user, account, profile, asked } of one sample; `asked`: requests that the
// sample has no answer to (they were answered 404).
export async function oracle({ file, variant }) {
    const Provider = (await import(`@auth/core/providers/${file.module}`)).default;
    const told = {};
    const config = {
        providers: [Provider(structuredClone(variant.options))], secret: "oracle-secret-oracle-secret-oracle-secret", trustHost: true, basePath: "/auth",
        callbacks: { signIn(params) { Object.assign(told, structuredClone(params)); return true; } },
        logger: { error() {}, warn() {}, debug() {} },
    };
    const jar = new Map(), values = { client_secret: variant.options.clientSecret }, asked = [];
    const send = async (method, path, form) => {
        const answer = await Auth(new Request(site + path, {
            method, headers: { cookie: [...jar].map(([k, v]) => `${k}=${v}`).join("; "), ...(form && { "content-type": "application/x-www-form-urlencoded" }) },
            body: form && new URLSearchParams(form),
        }), config);
        for (const line of answer.headers.getSetCookie()) { const [, name, value] = /^([^=]+)=([^;]*)/.exec(line); if (value) jar.set(name, value); else jar.delete(name); }
        return answer;
    };
    const list = [...variant.signin.outbound, ...variant.callback.outbound];
    const real = globalThis.fetch;
    globalThis.fetch = async (input, init) => {
        const rq = new Request(input, init);
        const found = list.find((e) => e.method === rq.method && sameUrl(e.url, rq.url));
        if (!found) asked.push({ role: "further", method: rq.method, url: rq.url, headers: {}, response: { status: 404, headers: {}, text: "" } });
        const { status, headers, body } = found ? answerOf(found.response, values) : { status: 404, headers: {}, body: "" };
        return new Response(body, { status, headers });
    };
    try {
        const { csrfToken } = await (await send("GET", "/auth/csrf")).json();
        const { path, query } = variant.signin.request;
        const start = await send("POST", path + (query ? `?${new URLSearchParams(query)}` : ""), { csrfToken, callbackUrl: `${site}/dashboard` });
        const sent = new URL(start.headers.get("location")).searchParams;
        for (const name of ["state", "nonce"]) if (sent.get(name)) values[name] = sent.get(name);
        const { method, path: back, query: given, form } = variant.callback.request;
        const answer = await send(method, back + (given ? `?${new URLSearchParams(fill(given, values))}` : ""), form && fill(form, values));
        const location = answer.headers.get("location");
        const outcome = location === `${site}/dashboard` ? "signed-in" : /\/signin$/.test(location) ? "profile-error" : "error";
        return { outcome, asked, ...general(JSON.parse(JSON.stringify({ user: told.user, account: told.account, profile: told.profile })), values.nonce) };
    } finally {
        globalThis.fetch = real;
    }
}
