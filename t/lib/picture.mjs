// What an answer says, field by field, so that two implementations can be held against each other:
// tokens are opened, what is random gets a name, what is a time becomes a distance from now.
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { decode } from "@auth/core/jwt";
import { changes, lines, parsePage } from "./html.mjs";

const now = () => Date.now() / 1000;
// In seconds from now, as it is written where a moment stood.
export const moment = (seconds) => `<in ${Math.round(seconds - now())} s>`;
const random = [
    [/\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/g, "<uuid>"],
    [/(?<![\w-])[\w-]{43}(?![\w-])/g, "<32 bytes>"],
    [/(?<![\w-])[0-9a-f]{64}(?![\w-])/g, "<hex>"],
    [/(?<![\w-])[\w-]{32}(?![\w-])/g, "<24 bytes>"],
];
const moments = new Set(["exp", "iat", "nbf", "expires_at", "auth_time"]);

// masked: the value with every random part and every moment replaced.
export function masked(value, name) {
    if (typeof value === "number") return moments.has(name) && Math.abs(value - now()) < 1e8 ? moment(value) : value;
    if (typeof value === "string") {
        if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return moment(Date.parse(value) / 1000);
        if (/^ey[\w-]+\.ey[\w-]+\.[\w-]*$/.test(value)) return { jws: masked(JSON.parse(Buffer.from(value.split(".")[1], "base64url"))) };
        return random.reduce((text, [pattern, word]) => text.replace(pattern, word), value);
    }
    if (Array.isArray(value)) return value.map((v) => masked(v));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([n, v]) => [n, n === "at_hash" || n === "c_hash" || n === "user-agent" ? "<any>" : masked(v, n)]));
    return value;
}

const percent = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
const opened = async (site, token, salt) => { try { return await decode({ token, secret: site.secret, salt }); } catch { return null; } };

// What stands in a cookie. `checks` collects what the authorization URL must agree with.
async function cookieContent(site, key, name, value, checks, names) {
    if (value === "") return "";
    if (names?.has(value)) return names.get(value);
    if (key === "csrfToken") {
        const [token, hash, ...more] = value.split("|");
        const good = createHash("sha256").update(token + [site.secret].flat().join(",")).digest("hex");
        return more.length === 0 && hash === good ? masked(`${token}|`) + "<its hash>" : value;
    }
    const salt = key === "sessionToken" ? site.cookieNames.sessionToken : name;
    const claims = key === "callbackUrl" ? null : await opened(site, value, salt);
    if (!claims) return value;
    if (key === "pkceCodeVerifier") checks.code_challenge = createHash("sha256").update(claims.value).digest("base64url");
    if (key === "state" || key === "nonce") checks[key] = claims.value;
    if (claims.state) checks.state ??= claims.state;
    const inner = key === "state" ? await opened(site, claims.value, "encodedState") : null;
    return masked({ ...claims, ...(inner && { value: inner }) });
}

// picture answers { fields: name -> value, lines: of a page }. `answer`: { status, headers (a list of
// pairs, names in lower case), body }; `site`: { secret, cookieNames }; `names`: session tokens of a
// database, and what each is called.
export async function picture(site, answer, names) {
    const all = (name) => answer.headers.filter(([n]) => n === name).map(([, v]) => v);
    const fields = { status: answer.status };
    for (const name of ["content-type", "cache-control", "expires", "pragma"]) if (all(name).length) fields[name] = all(name).join(", ");

    // Session chunks are one cookie, whose attributes must be the same on every piece.
    const checks = {}, cookies = [], pieces = [];
    for (const line of all("set-cookie")) {
        const [pair, ...attributes] = line.split("; ");
        const name = pair.slice(0, pair.indexOf("=")), value = percent(pair.slice(pair.indexOf("=") + 1));
        const key = Object.keys(site.cookieNames).find((k) => site.cookieNames[k] === name) ?? (name.startsWith(`${site.cookieNames.sessionToken}.`) ? "sessionToken" : undefined);
        const shown = attributes.map((a) => a.replace(/^Expires=(.+)$/, (_, date) => `Expires=${moment(Date.parse(date) / 1000)}`)).join("; ");
        cookies.push(name);
        if (key === "sessionToken" && value) pieces.push({ name, value, shown });
        else fields[`cookie ${name}`] = [fields[`cookie ${name}`], await cookieContent(site, key, name, value, checks), shown].filter((v) => v !== undefined);
    }
    if (cookies.length) fields.cookies = cookies;
    if (pieces.length) {
        const whole = [...pieces].sort((a, b) => (Number(/\.(\d+)$/.exec(a.name)?.[1] ?? 0)) - Number(/\.(\d+)$/.exec(b.name)?.[1] ?? 0)).map((p) => p.value).join("");
        fields["cookie session"] = [await cookieContent(site, "sessionToken", site.cookieNames.sessionToken, whole, checks, names), ...new Set(pieces.map((p) => p.shown))];
        fields["session pieces"] = pieces.map((p) => [p.name, p.value.length > 3900 ? p.value.length : "<rest>"]);
    }

    for (const location of all("location")) {
        const cut = location.indexOf("?") < 0 ? location.length : location.indexOf("?");
        fields.location = location.slice(0, cut);
        const query = [...new URLSearchParams(location.slice(cut))];
        if (query.length) fields["location order"] = query.map(([n]) => n);
        for (const [name, value] of query)
            fields[`location?${name}`] = checks[name] === value ? "<as its cookie has it>" : value.includes("..") && await opened(site, value, "encodedState") ? masked(await opened(site, value, "encodedState")) : masked(value);
        // How it is written counts too, but for the random parts.
        if (!query.some(([n]) => n === "state" || n === "code_challenge" || n === "nonce")) fields["location text"] = location;
    }

    const type = fields["content-type"] ?? "";
    if (type.startsWith("text/html")) return { fields, lines: lines(parsePage(answer.body)).map((l) => masked(l)) };
    try {
        const body = JSON.parse(answer.body);
        if (body?.url && all("location").length) fields.body = body.url === all("location")[0] ? "<the location>" : body;
        else if (body?.url) Object.assign(fields, Object.fromEntries(Object.entries((await picture(site, { status: 0, headers: [["location", body.url]], body: "" })).fields).filter(([n]) => n !== "status").map(([n, v]) => [`url ${n}`, v])));
        else fields.body = masked(body);
        fields["body text"] = JSON.stringify(body) === answer.body ? "compact" : answer.body;
    } catch {
        fields.body = answer.body;
    }
    return { fields, lines: null };
}

// Equal, moments within three seconds of each other.
function same(a, b) {
    if (typeof a === "string" && typeof b === "string") {
        const at = /<in (-?\d+) s>/g;
        const inA = [...a.matchAll(at)].map((m) => Number(m[1])), inB = [...b.matchAll(at)].map((m) => Number(m[1]));
        return a.replace(at, "<in>") === b.replace(at, "<in>") && inA.every((n, i) => Math.abs(n - inB[i]) <= 3);
    }
    if (a && b && typeof a === "object" && typeof b === "object" && Array.isArray(a) === Array.isArray(b))
        return isDeepStrictEqual(Object.keys(a), Object.keys(b)) && Object.keys(a).every((k) => same(a[k], b[k]));
    return Object.is(a, b);
}

// differences: a list of { field, expected, actual }.
export function differences(expected, actual) {
    const out = [];
    for (const field of new Set([...Object.keys(expected.fields), ...Object.keys(actual.fields)]))
        if (!same(expected.fields[field], actual.fields[field])) out.push({ field, expected: expected.fields[field], actual: actual.fields[field] });
    if (expected.lines && actual.lines && expected.lines.join() !== actual.lines.join())
        for (const change of changes(expected.lines, actual.lines)) out.push({ field: "page", ...change });
    else if (!expected.lines !== !actual.lines) out.push({ field: "page", expected: expected.lines && "a page", actual: actual.lines && "a page" });
    return out;
}
