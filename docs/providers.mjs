// Writes docs/providers.md from the files of providers/: node docs/providers.mjs
import fs from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("../providers/", import.meta.url);
const part = (id) => id.toUpperCase().replace(/[^A-Z0-9]/g, "_");
const suffixes = { client_id: ["ID"], client_secret: ["SECRET"], api_key: ["KEY", "API_KEY"] };
const code = (text) => `\`${text}\``;

// Values for an example: what the file demands and has no default for.
const samples = { issuer: "https://id.example.com", account_id: "1234567", userinfo_url: "https://1234567.restlets.api.netsuite.com/user", base_url: "https://acme.identitynow.com", base_api_url: "https://acme.api.identitynow.com", transactional_id: "cm0..." };
const sample = (name, spec) => (spec.enum?.[0] ?? samples[name] ?? "...") + (spec.slash === "required" && !samples[name]?.endsWith("/") ? "/" : "");

function variables(p, name) {
    const own = (suffixes[name] ?? [name.toUpperCase()]).map((s) => `AUTH_${part(p.id)}_${s}`);
    return [...own, ...(p.env?.[name] ?? [])].map(code).join(", ");
}

// The scope that is asked for unless the block says another.
function scope(p) {
    const asked = p.authorization?.params?.scope ?? "openid profile email", option = /^\{(\w+)\}$/.exec(asked)?.[1];
    if (option) return p.options?.[option]?.default ? code(p.options[option].default) : "that the options call for";
    return asked === "" ? "none" : code(asked);
}

function section(p) {
    const lines = [`### ${p.name}`, ""];
    if (p.deprecated) lines.push(`Deprecated: ${p.deprecated.includes(" ") ? p.deprecated : `use \`${p.deprecated}\` instead`}.`, "");
    lines.push(`- id ${code(p.id)}, type ${p.type}`);
    const email = p.type === "email";
    if (!email || p.send) lines.push(`- callback URL ${code(`https://your.site/auth/callback/${p.id}`)}`);
    const names = email ? ["api_key", "from"] : ["client_id", "client_secret", ...(p.options?.issuer ? [] : ["issuer"])];
    lines.push(`- variables ${names.map((n) => variables(p, n)).join(", ")}`);
    for (const [name, spec] of Object.entries(p.options ?? {})) {
        if (names.includes(name)) continue;
        const facts = [spec.required && "must be given", spec.default !== undefined && `default ${spec.default === "" ? "empty" : code(spec.default)}`,
            spec.enum && `one of ${spec.enum.map(code).join(", ")}`, spec.slash === "required" && "ends with a slash", spec.slash === "forbidden" && "without a final slash"].filter(Boolean);
        lines.push(`- option ${code(name)}${facts.length ? ` (${facts.join("; ")})` : ""}: ${variables(p, name)}`);
    }
    if (!email) {
        lines.push(`- checks ${(p.checks ?? ["pkce"]).join(", ")}; scope ${scope(p)}`);
        if (p.https && !p.notes?.some((n) => /accepts only https/.test(n))) lines.push("- only for sites on https, even while developing");
    }
    for (const note of p.notes ?? []) lines.push(`- ${note}`);
    lines.push(`- checked against documentation${p.doc ? `: [Auth.js](${p.doc})` : ""}`, "", "```nginx", `auth_js_provider ${p.id} {`);
    if (email) lines.push("    api_key file:/etc/nginx/keys/mail;", "    from    no-reply@example.com;");
    else lines.push("    client_id     your-client-id;", `    client_secret file:/etc/nginx/keys/${p.id};`);
    for (const [name, spec] of Object.entries(p.options ?? {})) if (spec.required && name !== "api_key") lines.push(`    ${name.padEnd(13)} ${sample(name, spec)};`);
    lines.push("}", "```", "");
    return lines;
}

export function page() {
    const files = fs.readdirSync(folder).filter((f) => f.endsWith(".json")).sort();
    const providers = files.map((f) => JSON.parse(fs.readFileSync(new URL(f, folder), "utf8")));
    const by = (t) => providers.filter(t).sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
    return [
        "# Providers", "",
        `The catalogue: ${providers.length} providers, each one file of [providers/](../providers), embedded in the module. This page is made of`,
        "those files by `make docs`.", "",
        "Their facts were checked against what Auth.js does and what the services document. **Nothing here was run against the live", "services.**", "",
        "Name providers with `auth_js_providers github google;` when the environment has their variables, or open a block", "(`auth_js_provider github { ... }`). A new id (`auth_js_provider keycloak as staff { ... }`) has variables and a callback URL of its own.",
        "`/auth` in callback URLs is `auth_js_base_path`.", "",
        "Besides these files there are the types that are built in: `credentials` (own user names and passwords) and `nodemailer` (magic", "links by SMTP; `email` is its old name). Passkeys are not in this version.", "",
        "A provider of your own is a block with `type oauth` or `type oidc`, or a file in `auth_js_provider_dir` after", "[provider.schema.json](provider.schema.json); see [custom-oauth.conf](../conf.examples/custom-oauth.conf) and", "[custom-oidc.conf](../conf.examples/custom-oidc.conf).", "",
        "## Filters", "",
        "`profile 'jq'` in a block gives the whole user (`id`, `name`, `email`, `image`, and whatever else the session or the store shall",
        "have); `account 'jq'` gives what is stored of the token response. A `$` needs no doubling there. Filters see the profile as `.`, and", "`$token` (the token response), `$options`, `$photo` (base64 or null), `$callback` (the callback's parameters). Besides jq 1.6's own", "functions there are:", "",
        "- `some(f)`: what `f` gives, null for an empty text, 0 and false", "- `either(f; g)`: what `f` gives, or `g` where that is nothing or null; unlike `f // g` it keeps false", "- `must(f)`: what `f` gives; null ends the sign-in", "- `[a, b] | words`, `[a, b] | spaced`: joined by spaces without what is missing; `words` drops empty texts, too",
        "- `text`: as text, the way JavaScript writes it", "- `id_text`: the same for an id; what is neither text nor number ends the sign-in",
        "- `field(\"name\"; f)`: `{name: ...}`, or `{}` where the path `f` leads to nothing", "- `digits_mod(n)`: a text of digits modulo `n`, beyond what numbers hold", "",
        "`env`, `$ENV`, `input`, `debug`, `halt`, `import` and their kin are refused. An id that is a number with more digits than a double", "holds (2^53) is refused, since two people could have it; ask the provider for text.", "",
        "## OAuth and OpenID Connect", "", ...by((p) => p.type !== "email").flatMap(section),
        "## Magic links by mail services", "", ...by((p) => p.type === "email").flatMap(section),
    ].join("\n").trimEnd() + "\n";
}

if (process.argv[1] === fileURLToPath(import.meta.url)) fs.writeFileSync(new URL("providers.md", import.meta.url), page());
