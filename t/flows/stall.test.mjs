// Whatever a provider does, its worker goes on answering others [sec 79, 80]: a static file fetched
// every 20 ms takes no longer than 250 ms, and the flows that wait end by their deadline with a page
// that says what happened.
import assert from "node:assert";
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";

import { Browser } from "../lib/browser.mjs";
import { modulePath, startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";

const sanitized = Boolean(process.env.AUTH_JS_CHECKED);
const limit = sanitized ? 3000 : 250;    // ms; a sanitizer makes the first reading of the certificates slow
const timeout = 2000;                    // auth_js_http_timeout
const flows = 1000;
const memory_limit = 256;                // KiB for each waiting callback
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const preload = path.resolve(path.dirname(modulePath), "tools/slow_getaddrinfo.so");

let nginx, idle, provider, silent, deaf;

// How each provider hangs, by its id: what is laid over the token request's answer, or its address.
const hangs = {
    name: { url: () => "http://provider.invalid:9/token" },
    connect: { url: () => `http://127.0.0.1:${deaf.port}/token` },
    tls: { url: () => `https://127.0.0.1:${silent.address().port}/token` },
    headers: { answer: { hang: true } },
    body: { answer: { drip: 60_000 } },
    drip: { answer: { drip: 1000 } },
};

// A server whose queue of connections is full: nobody accepts, and the kernel drops what comes.
async function startDeaf() {
    const script = `const s = require("net").createServer(); s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
        require("fs").writeSync(1, s.address().port + "\\n"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); });`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const port = Number(await new Promise((done) => child.stdout.once("data", done)));
    const fill = Array.from({ length: 4 }, () => net.connect(port, "127.0.0.1").on("error", () => {}));
    await sleep(200);
    return { port, stop() { for (const s of fill) s.destroy(); child.kill("SIGKILL"); } };
}

before(async () => {
    assert.ok(fs.existsSync(preload), `${preload} is missing: make flows`);
    provider = await startProvider();
    silent = net.createServer((s) => s.on("error", () => {}));
    await new Promise((done) => silent.listen(0, "127.0.0.1", done));
    deaf = await startDeaf();
    const block = (id) => `
        auth_js_provider ${id} {
            type oauth; client_id test-client; client_secret test-secret; checks pkce state;
            authorization_url ${provider.origin}/authorize; userinfo_url ${provider.origin}/userinfo;
            token_url ${hangs[id].url?.() ?? `${provider.origin}/token`};
            profile '{id: .sub, name, email}';
        }`;
    nginx = await startNginx({
        env: { LD_PRELOAD: preload },
        main: "worker_rlimit_nofile 8192;", connections: 4096,
        http: `
            auth_js_secret 0123456789abcdef0123456789abcdef;
            auth_js_http_timeout ${timeout}ms;
            keepalive_requests 1000000;
            ${Object.keys(hangs).map(block).join("")}`,
        server: `
            location /auth/ { auth_js_handler; }
            location /many/ { auth_js_base_path /many; auth_js_handler; auth_js_http_timeout 20s; }`,
    });
    idle = await startNginx();
    provider.answer("token", ({ form }) => hangs[form.redirect_uri.split("/").pop()].answer);
});
after(async () => {
    try {
        await idle.stop();
        await nginx.stop();
    } finally {
        deaf.stop();
        silent.close();
        await provider.close();
    }
});

// probe fetches a static file every 20 ms from a thread of its own, until it is told to stop, and the
// same file from another nginx that has nothing else to do; answers the times in ms of both.
function probe() {
    const worker = new Worker(`
        const { parentPort, workerData } = require("node:worker_threads");
        const http = require("node:http");
        const agent = new http.Agent({ keepAlive: true });
        const times = workerData.map(() => []);
        let open = 0, over = false;
        const fetch = (url, i) => {
            const from = performance.now();
            ++open;
            http.get(url, { agent }, (rs) => rs.resume().on("end", () => {
                if (rs.statusCode !== 200) throw new Error("status " + rs.statusCode);
                times[i].push(performance.now() - from);
                if (!--open && over) finish();
            }));
        };
        const timer = setInterval(() => workerData.forEach(fetch), 20);
        const finish = () => { agent.destroy(); parentPort.postMessage(times); parentPort.close(); };
        parentPort.on("message", () => { over = true; clearInterval(timer); if (!open) finish(); });
    `, { eval: true, workerData: [nginx, idle].map((n) => `${n.origin}/index.html`) });
    const failed = new Promise((_, no) => worker.once("error", no));
    return async () => {
        worker.postMessage("stop");
        return Promise.race([new Promise((done) => worker.once("message", done)), failed]);
    };
}
// What the idle nginx needed at worst is the machine's share: a few ms, unless others keep it busy.
function judge(t, [times, beside], what) {
    const worst = Math.max(...times), machine = Math.max(...beside);
    t.diagnostic(`${what}: ${times.length} fetches, the slowest ${worst.toFixed(1)} ms; of an idle nginx ${machine.toFixed(1)} ms`);
    assert.ok(times.length > 10, `${times.length} fetches`);
    assert.ok(worst <= limit + machine, `${worst.toFixed(1)} ms`);
}

for (const id of Object.keys(hangs))
    test(`a provider that hangs: ${id}`, async (t) => {
        const browser = new Browser(nginx.origin);
        const start = await browser.start(id);
        const consent = await browser.consent(start.location);
        const log = nginx.log.length, stop = probe(), started = Date.now();
        const callback = await browser.back(consent);
        const took = Date.now() - started;
        judge(t, await stop(), id);
        assert.ok(took >= timeout - 100 && took < timeout + 5000, `${took} ms`);
        assert.strictEqual(callback.status, 302);
        const page = await browser.get(callback.location);
        assert.strictEqual(page.status, 500);
        const ref = /ref=([0-9a-f]{32})/.exec(callback.location)?.[1];
        assert.ok(ref && page.body.includes(ref), "the page names the log's line");
        const line = nginx.log.slice(log).split("\n").find((l) => l.includes(`ref=${ref}`));
        assert.match(line, /auth_js: .*time-out/);
    });

const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

test(`${flows} waiting callbacks`, async (t) => {
    const browser = new Browser(nginx.origin, { basePath: "/many" });
    const start = await browser.start("headers");
    const consent = await browser.consent(start.location);
    const cookie = browser.jar.of(new URL(nginx.origin)).map((c) => `${c.name}=${c.value}`).join("; ");
    const pid = nginx.workers[0], before = rss(pid), log = nginx.log.length;
    const call = (i) => new Promise((done, failed) => {
        const url = new URL(consent.url);
        url.searchParams.set("code", `code-${i}`);   // each its own: a code is sent once
        http.get(url, { headers: { cookie }, agent: false }, (rs) => {
            rs.resume().on("end", () => { ++answered; done(rs.headers.location); });
        }).on("error", failed);
    });
    provider.reset();
    provider.answer("token", { hang: true });
    let answered = 0;
    const stop = probe(), answers = [];
    while (answers.length < flows) {
        for (let i = 0; i < 50; i++) answers.push(call(answers.length));
        await provider.until("token", answers.length, 10_000);   // as fast as they are taken
    }
    const waiting = flows - answered, most = rss(pid);
    const locations = await Promise.all(answers);
    judge(t, await stop(), `${waiting} waiting callbacks`);
    assert.ok(waiting > 0.9 * flows, `${waiting} waited at once`);
    for (const location of locations) assert.match(location, /\/many\/error\?error=Configuration/);
    assert.strictEqual(nginx.log.slice(log).match(/auth_js: [^\n]*time-out/g)?.length, flows);
    const each = (most - before) / waiting;
    t.diagnostic(`memory of the worker: ${before} KiB, ${most} KiB with ${waiting} waiting, ${rss(pid)} KiB after: ${each.toFixed(1)} KiB each`);
    assert.ok(each < memory_limit * (sanitized ? 4 : 1), `${each} KiB`);
});
