// The real Auth.js and the module, asked the same: scripted sequences for every rule, then random
// ones. AUTHJS_SEED=n repeats a run, AUTHJS_SEQUENCES=n makes it longer or shorter.
import assert from "node:assert";
import http from "node:http";
import { after, before, test } from "node:test";
import { startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";
import { divergences } from "../lib/divergences.mjs";
import { Lab, Pair } from "../lib/pair.mjs";
import { generator, sequence } from "../lib/random.mjs";
import { files, startApp, worlds } from "../lib/worlds.mjs";

let lab, all, app, at, plain;
before(async () => {
    [at, plain, app] = await Promise.all([startProvider(), startProvider({ oidc: false }), startApp()]);
    lab = new Lab({ providers: [at, plain], app, divergences });
    all = worlds({ at: at.origin, plain: plain.origin, app, record: (name, document) => lab.record(name, document) });
    const servers = all.slice(1).map((w, i) => `server { listen 127.0.0.1:{{port${i + 2}}}; server_name 127.0.0.1; ${w.server} }`).join("\n");
    lab.nginx = await startNginx({ server: all[0].server, http: servers, ports: all.length, files });
});
const world = (name) => all.find((w) => w.name === name);
const pair = (name) => new Pair(lab, world(name));

const seed = Number(process.env.AUTHJS_SEED ?? Math.floor(Math.random() * 1e9));
test(`random sequences, AUTHJS_SEED=${seed}`, async () => {
    for (let i = 0; i < Number(process.env.AUTHJS_SEQUENCES ?? 250); ++i) {
        const rng = generator(seed + i);
        const p = new Pair(lab, rng.pick(all));
        p.sequence = i;
        await sequence(rng, p, 10);
    }
});

after(async () => {
    for (const f of lab.found) {
        console.log(`--- ${f.world}: ${f.title} #${f.x.pair.sequence} [${f.x.log.join(" | ")}]`);
        for (const d of f.left.slice(0, 12)) console.log(`    ${d.field}\n      < ${JSON.stringify(d.expected)?.slice(0, 600)}\n      > ${JSON.stringify(d.actual)?.slice(0, 600)}`);
    }
    console.log(lab.answers, lab.found.length);
    for (const s of [at, plain, app]) await s.close();
    await lab.nginx?.stop();
});
