// What the catalogue costs: nginx -t with all providers against none, and memory per provider.
//   catalogue_conf_ms   milliseconds more that nginx -t takes with every OAuth and OIDC provider (median of 9)
//   provider_kib        KiB more in the master, divided by their number
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { startNginx, testConfig } from "../lib/nginx.mjs";

const folder = new URL("../../providers/", import.meta.url);

export async function catalogue() {
    const all = fs.readdirSync(folder).map((f) => JSON.parse(fs.readFileSync(new URL(f, folder), "utf8"))).filter((p) => p.type !== "email");
    const env = { AUTH_SECRET: "0123456789abcdef0123456789abcdef" };
    for (const p of all) {
        const part = `AUTH_${p.id.toUpperCase().replaceAll("-", "_")}_`;
        env[`${part}ID`] = env[`${part}SECRET`] = "x";
        for (const [name, spec] of Object.entries(p.options ?? {})) if (spec.required) env[part + name.toUpperCase()] = spec.enum?.[0] ?? `https://o.example.com${spec.slash === "required" ? "/" : ""}`;
    }
    const measure = async (providers) => {
        const nginx = await startNginx({ env, server: `${providers} auth_js_url https://app.example.com; location /auth/ { auth_js_handler; }` });
        const rss = Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${nginx.pid}/status`, "utf8"))[1]);
        const times = [];
        for (let i = 0; i < 9; i++) { const t = performance.now(); testConfig(nginx.prefix, env); times.push(performance.now() - t); }
        await nginx.stop();
        return { rss, ms: times.sort((a, b) => a - b)[4] };
    };
    const none = await measure("auth_js_provider local { type credentials; authorize uri /check; }");
    const full = await measure(`auth_js_providers ${all.map((p) => p.id).join(" ")};`);
    return { catalogue_conf_ms: Math.round(full.ms - none.ms), provider_kib: Math.round((full.rss - none.rss) / all.length) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const [name, value] of Object.entries(await catalogue())) console.log(`${name} ${value}`);
