// nginx with the module, for tests: a configuration in a directory of its own, on free loopback
// ports, watched until it has gone. Its error log must stay free of alerts and of secrets.
import assert from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { found, plant, plantConfiguration } from "./canaries.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const modulePath = path.resolve(process.env.AUTHJS_MODULE ?? process.env.AUTH_JS_MODULE ?? path.join(root, "build/ngx_http_auth_js_module.so"));
const binary = process.env.NGINX_BINARY ?? "nginx";
const patience = process.env.AUTH_JS_CHECKED ? 10 : 1;   // sanitizers and valgrind are slow (tools/checked.sh)
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

export async function freePorts(count) {
    const servers = await Promise.all(Array.from({ length: count }, () => new Promise((done) => {
        const s = net.createServer().listen(0, "127.0.0.1", () => done(s));
    })));
    const ports = servers.map((s) => s.address().port);
    await Promise.all(servers.map((s) => new Promise((done) => s.close(done))));
    return ports;
}

const answers = (port) => new Promise((done) => {
    const s = net.connect(port, "127.0.0.1").on("connect", () => { s.destroy(); done(true); }).on("error", () => done(false));
});

// A made-up secret that must not be found in any log.
export function canary() {
    const made = `canary-${crypto.randomBytes(12).toString("hex")}`;
    plant(made);
    return made;
}

// startNginx: `server` is the inside of one server {} that listens on the first port, `http` what
// stands beside it, `main` what stands outside http {}, or `conf` the whole text. {{port}},
// {{port2}}, ... {{prefix}} and {{html}} are filled in. `files`: name -> content under the prefix.
// `listen`: parameters of that listen. `level`: that of the log; by default our debug records are there and nginx's are not.
export async function startNginx({ conf, server = "", http = "", main = "", workers = 1, connections = 1024, ports = 1, listen = "", files = {}, env = {}, level = "debug_mail" } = {}) {
    const prefix = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-"));
    fs.chmodSync(prefix, 0o755);
    for (const dir of ["logs", "html", "conf"]) fs.mkdirSync(path.join(prefix, dir));
    for (const [name, text] of Object.entries({ "html/index.html": "home\n", ...files })) {
        fs.mkdirSync(path.dirname(path.join(prefix, name)), { recursive: true });
        fs.writeFileSync(path.join(prefix, name), text);
    }
    const free = await freePorts(ports);
    const text = (conf ?? `
load_module ${modulePath};
worker_processes ${workers};
pid logs/nginx.pid;
error_log logs/error.log ${level};
${main}
events { worker_connections ${connections}; }
http {
    access_log off;
    default_type text/plain;
    client_body_temp_path temp_body; proxy_temp_path temp_proxy; fastcgi_temp_path temp_fastcgi;
    uwsgi_temp_path temp_uwsgi; scgi_temp_path temp_scgi;
    ${http}
    server {
        listen 127.0.0.1:{{port}} ${listen};
        server_name 127.0.0.1 localhost;
        root html;
        ${server}
    }
}
`).replace(/\{\{port(\d*)\}\}/g, (_, n) => free[n ? n - 1 : 0]).replaceAll("{{prefix}}", prefix).replaceAll("{{html}}", path.join(prefix, "html"));
    fs.writeFileSync(path.join(prefix, "conf/nginx.conf"), text);
    for (const content of [text, ...Object.values(files)]) plantConfiguration(String(content), env);
    const nginx = new Nginx(prefix, free, env);
    await nginx.start();
    return nginx;
}

// checkConfig: `nginx -t` over such a configuration: { ok, log }.
export function testConfig(prefix, env = {}) {
    const run = spawnSync(binary, ["-p", prefix, "-c", "conf/nginx.conf", "-t"], { env: { PATH: process.env.PATH, ...env } });
    return { ok: run.status === 0, log: run.stderr.toString() };
}

// Those that a failed test left behind end with the run.
const running = new Set();
process.on("exit", () => {
    for (const nginx of running) {
        let pids = [nginx.pid];
        try { pids = [...nginx.workers, nginx.pid]; } catch { /* its master is gone */ }
        for (const pid of pids) try { process.kill(pid, "SIGKILL"); } catch { /* gone */ }
        fs.rmSync(nginx.prefix, { recursive: true, force: true });
    }
});

export class Nginx {
    #allowed = [];
    constructor(prefix, ports, env) {
        Object.assign(this, { prefix, ports, env, port: ports[0], origin: `http://127.0.0.1:${ports[0]}` });
    }

    async start() {
        this.child = spawn(binary, ["-p", this.prefix, "-c", "conf/nginx.conf", "-g", "daemon off;"],
            { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env.PATH, ...this.env } });
        this.pid = this.child.pid;
        running.add(this);
        this.stderr = "";
        this.child.stderr.on("data", (d) => { this.stderr += d; });
        this.exited = new Promise((done) => this.child.once("exit", (code, signal) => { this.exit = code ?? signal; running.delete(this); done(this.exit); }));
        for (const end = Date.now() + patience * 10_000; !(await answers(this.port)); await sleep(10)) {
            if (this.exit === undefined && Date.now() < end) continue;
            this.child.kill("SIGKILL");
            throw new Error(`nginx did not start: ${this.exit}\n${this.stderr}\n${this.log}`);
        }
    }

    get log() {
        const file = path.join(this.prefix, "logs/error.log");
        return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    }
    get workers() {
        return fs.readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "utf8").trim().split(/\s+/).filter(Boolean).map(Number);
    }

    // until: the moment when `pattern` stands in the log (after `from` characters of it).
    async until(pattern, { ms = 5000, from = 0 } = {}) {
        for (const end = Date.now() + patience * ms; !pattern.test(this.log.slice(from)); await sleep(10))
            if (Date.now() > end) throw new Error(`nginx: ${pattern} did not come into the log:\n${this.log.slice(-4000)}`);
    }

    signal(name) {
        process.kill(this.pid, name);
    }
    // reload answers when new workers are there and the old ones accept no more; `conf` replaces the configuration first.
    async reload(conf) {
        if (conf !== undefined) fs.writeFileSync(path.join(this.prefix, "conf/nginx.conf"), conf);
        const before = this.workers;
        this.signal("SIGHUP");
        const title = (pid) => { try { return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8"); } catch { return "gone"; } };
        const isDone = () => this.workers.some((w) => !before.includes(w)) && before.every((w) => /shutting down|gone|^$/.test(title(w)));
        for (const end = Date.now() + patience * 10_000; !isDone(); await sleep(10))
            if (Date.now() > end) throw new Error(`nginx did not reload:\n${this.log.slice(-4000)}`);
    }
    // kill ends the process with these ids (workers, say) at once: the master starts new ones.
    kill(pid) {
        this.#allowed.push(new RegExp(`(worker )?process ${pid} exited on signal 9`));
        process.kill(pid, "SIGKILL");
    }

    // plant: more secrets that no log may hold.
    plant(...secrets) {
        plant(secrets);
    }
    allow(pattern) {
        this.#allowed.push(pattern);
    }
    checkLog() {
        const bad = this.log.split("\n").filter((line) => /\[(alert|crit|emerg)\]/.test(line) && !this.#allowed.some((p) => p.test(line)));
        assert.deepStrictEqual(bad, [], "alerts in the log");
        // nginx's own records are nginx's: it writes the request line behind them.
        const ours = this.log.split("\n").filter((line) => line.includes("auth_js"));
        const secret = found(ours.join("\n"));
        assert.strictEqual(secret, undefined, `a secret stands in the log: ${ours.find((line) => line.includes(secret))}`);
    }
    // checkDump: `nginx -T` says no more than the files' own words.
    checkDump() {
        const run = spawnSync(binary, ["-p", this.prefix, "-c", "conf/nginx.conf", "-T"], { env: { PATH: process.env.PATH, ...this.env }, encoding: "utf8", maxBuffer: 1 << 28 });
        let said = run.stdout + run.stderr;
        for (const [, file] of run.stdout.matchAll(/^# configuration file (.*):$/gm)) said = said.replace(fs.readFileSync(file, "utf8").trimEnd(), "");
        const secret = found(said);
        assert.strictEqual(secret, undefined, `nginx -T tells a secret: ${secret}`);
    }

    // stop ends nginx gracefully, checks its log, and removes its directory.
    async stop({ check = true } = {}) {
        if (check) this.checkDump();
        if (this.exit === undefined) this.signal("SIGQUIT");
        const late = setTimeout(() => { this.late = true; this.signal("SIGTERM"); }, patience * 20_000);
        await this.exited;
        clearTimeout(late);
        try {
            if (check) {
                assert.ok(!this.late, `nginx did not exit gracefully:\n${this.log.slice(-4000)}`);
                this.checkLog();
            }
        } finally {
            if (process.env.KEEP_LOGS) fs.copyFileSync(path.join(this.prefix, "logs/error.log"), path.join(process.env.KEEP_LOGS, `${path.basename(this.prefix)}.log`));
            fs.rmSync(this.prefix, { recursive: true, force: true });
        }
    }
}
