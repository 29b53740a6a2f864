// What outlives a reload and a binary upgrade, and nginx asked by others and from an empty environment.
import assert from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { test } from "node:test";

import { encode } from "@auth/core/jwt";

// A binary upgrade runs nginx by the name it was started with.
process.env.NGINX_BINARY ??= execFileSync("sh", ["-c", "command -v nginx"]).toString().trim();
const { canary, modulePath, startNginx, testConfig } = await import("../lib/nginx.mjs");
const { Browser } = await import("../lib/browser.mjs");
const { startProvider } = await import("../lib/provider.mjs");
const { oauthBlock } = await import("../lib/store.mjs");

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const salt = "authjs.session-token";
const session = async (secret) => `${salt}=${await encode({ token: { sub: "1", name: "Ada" }, secret, salt })}`;
const status = (nginx, cookie) => new Promise((done, failed) => {
    http.get({ host: "127.0.0.1", port: nginx.port, path: "/m/a", agent: false, headers: cookie ? { cookie } : {} }, (rs) => { rs.resume(); done(rs.statusCode); })
        .on("error", failed);
});
const server = "location /auth/ { auth_js_handler; } location /m/ { auth_js on; }";
const files = { "html/m/a": "member\n" };

test("a reload keeps sessions, reads the environment file again, and no changed environment [sec 53]", async () => {
    const [first, second] = [canary(), canary()];
    const nginx = await startNginx({ server, files: { ...files, "conf/env": `AUTH_SECRET=${first}` }, http: "auth_js_env_file env;" });
    nginx.plant(first, second);
    const [old, young] = [await session(first), await session(second)];
    assert.deepStrictEqual([await status(nginx), await status(nginx, old), await status(nginx, young)], [401, 200, 401]);
    await nginx.reload();
    assert.strictEqual(await status(nginx, old), 200);
    fs.writeFileSync(path.join(nginx.prefix, "conf/env"), `AUTH_SECRET=${second}`);
    await nginx.reload();
    assert.deepStrictEqual([await status(nginx, old), await status(nginx, young)], [401, 200]);
    await nginx.stop();
});

test("a reload that cannot read its secret leaves the running nginx as it is [sec 120]", async () => {
    const secret = canary();
    const nginx = await startNginx({ server, files: { ...files, "conf/secret": secret }, http: "auth_js_secret file:secret;" });
    nginx.plant(secret);
    nginx.allow(/secret" cannot be read/);
    const cookie = await session(secret);
    fs.rmSync(path.join(nginx.prefix, "conf/secret"));
    const from = nginx.log.length;
    nginx.signal("SIGHUP");
    await nginx.until(/\[emerg\].*"file:secret" cannot be read: No such file or directory in .*nginx\.conf:\d+/, { from });
    assert.deepStrictEqual([await status(nginx), await status(nginx, cookie)], [401, 200]);
    await nginx.stop();
});

test("a configuration without its secret never starts [sec 73] [sec 120]", async () => {
    const none = /no secret: write auth_js_secret env:AUTH_SECRET;.*openssl rand -base64 33/s, empty = /auth_js_secret: the secret is empty; make one with: openssl rand -base64 33/;
    await assert.rejects(startNginx({ server }), none);
    for (const env of [{ AUTH_SECRET: "" }, { NEXTAUTH_SECRET: "" }]) await assert.rejects(startNginx({ server, env }), none);
    for (const line of ["AUTH_SECRET=", "AUTH_SECRET=''"])
        await assert.rejects(startNginx({ server, files: { "conf/env": line }, http: "auth_js_env_file env;" }), none);
    for (const content of ["", "\n"]) await assert.rejects(startNginx({ server, files: { "conf/s": content }, http: "auth_js_secret file:s;" }), empty);
    await assert.rejects(startNginx({ server, env: { S: "" }, http: "auth_js_secret env:S;" }), empty);
    const short = await startNginx({ server, env: { AUTH_SECRET: "of-31-bytes-and-not-one-byte-mo" } });
    assert.match(short.stderr + short.log, /\[warn\].*a secret of under 32 bytes can be guessed/);
    await short.stop();
});

test("a binary upgrade (USR2) keeps the secret of the environment, and reloads after it too [sec 53]", async () => {
    const secret = canary(), provider = canary();
    const forge = await startProvider({ oidc: false });
    forge.answer("token", { delay: 4000 });
    const nginx = await startNginx({ files, env: { AUTH_SECRET: secret, MY_ID: provider },
        server: `${server} ${oauthBlock(forge, "forge")} auth_js_provider f { type oauth; client_id env:MY_ID; client_secret x; authorization_url https://f.example/a; token_url https://f.example/t; userinfo_url https://f.example/u; profile '{id}'; }` });
    nginx.plant(secret, provider);
    const cookie = await session(secret);
    assert.match(nginx.stderr + nginx.log, /\[notice\].*AUTH_SECRET comes from nginx's environment, which a reload does not read again; auth_js_env_file would be/);
    assert.deepStrictEqual([await status(nginx), await status(nginx, cookie)], [401, 200]);
    await nginx.reload();
    assert.strictEqual(await status(nginx, cookie), 200);

    // nginx takes USR2 only as a daemon: of the same configuration, then.
    nginx.signal("SIGQUIT");
    await nginx.exited;
    const pid_file = path.join(nginx.prefix, "logs/nginx.pid");
    const pid_of = (file) => (fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8")) : 0);
    const children = (pid) => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    const until = async (what, f) => {
        for (const end = Date.now() + 20_000; !f(); await sleep(20)) assert.ok(Date.now() < end, `${what}:\n${nginx.log.slice(-3000)}`);
    };
    const run = spawnSync(process.env.NGINX_BINARY, ["-p", nginx.prefix, "-c", "conf/nginx.conf"], { env: nginx.env, stdio: "ignore" });
    assert.strictEqual(run.status, 0);
    await until("no daemon", () => pid_of(pid_file));
    const old = pid_of(pid_file);
    let master = old;
    const browser = new Browser(nginx.origin);
    try {
        // A callback in flight: the old worker finishes it while its master goes.
        const callback = browser.back(await browser.consent((await browser.start("forge")).location));
        await forge.until("token");
        process.kill(old, "SIGUSR2");
        await until("no new master", () => pid_of(`${pid_file}.oldbin`) === old && ![0, old].includes(pid_of(pid_file)));
        master = pid_of(pid_file);
        await until("no new worker", () => children(master).length);
        process.kill(old, "SIGQUIT");
        assert.strictEqual((await callback).location, `${nginx.origin}/`);
        await until("the old master stays", () => !fs.existsSync(`/proc/${old}`));
        assert.strictEqual((await browser.session()).user.name, "Ada Lovelace");
        assert.deepStrictEqual([await status(nginx), await status(nginx, cookie)], [401, 200]);
        const before = children(master);
        process.kill(master, "SIGHUP");
        await until("no reload", () => children(master).length && !children(master).some((w) => before.includes(w)));
        assert.deepStrictEqual([await status(nginx), await status(nginx, cookie)], [401, 200]);
    } finally {
        process.kill(master, "SIGQUIT");
        await until("the new master stays", () => !fs.existsSync(`/proc/${master}`));
    }
    await nginx.stop();
    await forge.close();
});

test("nginx -s from an empty environment, and -t and -T from it", async () => {
    const secret = canary();
    const nginx = await startNginx({ files, env: { AUTH_SECRET: secret, MY_URL: "http://127.0.0.1", AUTH_GITHUB_ID: "a", AUTH_GITHUB_SECRET: "b" },
        server: `${server} auth_js_url env:MY_URL; auth_js_providers github; auth_js_secret env:AUTH_SECRET; location /n/ { auth_js on; auth_js_default_provider github; }` });
    nginx.plant(secret);
    const ask = (...args) => spawnSync(process.env.NGINX_BINARY, ["-p", nginx.prefix, "-c", "conf/nginx.conf", ...args], { env: {} });
    const checked = ask("-t").stderr.toString();
    assert.match(checked, /the variable (MY_URL|AUTH_SECRET) \(env:\w+\) is neither in auth_js_env_file nor in nginx's environment in .*nginx\.conf:\d+/);
    const before = nginx.workers;
    for (const signal of ["reopen", "reload"]) {
        const run = ask("-s", signal);
        assert.strictEqual(run.status, 0, `-s ${signal}: ${run.stderr}`);
        assert.doesNotMatch(run.stderr.toString(), /emerg/);
    }
    for (const end = Date.now() + 10_000; nginx.workers.every((w) => before.includes(w)) && Date.now() < end;) await sleep(20);
    assert.strictEqual(await status(nginx, await session(secret)), 200);
    // -T shows the file's own words, and nothing that they stand for.
    const dump = spawnSync(process.env.NGINX_BINARY, ["-p", nginx.prefix, "-c", "conf/nginx.conf", "-T"], { env: nginx.env });
    assert.strictEqual(dump.status, 0, dump.stderr.toString());
    assert.match(dump.stdout.toString(), /auth_js_secret env:AUTH_SECRET;/);
    assert.ok(!`${dump.stdout}${dump.stderr}`.includes(secret));
    const stop = ask("-s", "stop");
    assert.strictEqual(stop.status, 0, stop.stderr.toString());
    await nginx.exited;
    await nginx.stop();
});

test("as another user: -t names the file it may not read, -s does not ask for it", { skip: process.getuid() !== 0 && "needs root" }, async () => {
    const secret = canary();
    const nginx = await startNginx({ server, files: { ...files, "conf/secret": secret }, http: "auth_js_secret file:secret;" });
    nginx.plant(secret);
    fs.chmodSync(path.join(nginx.prefix, "conf/secret"), 0o600);
    // The module from where everybody may read it: the build may lie in somebody's private folder.
    const conf = path.join(nginx.prefix, "conf/nginx.conf"), module = path.join(nginx.prefix, "module.so");
    fs.copyFileSync(modulePath, module);
    fs.chmodSync(module, 0o644);
    fs.writeFileSync(conf, fs.readFileSync(conf, "utf8").replace(modulePath, module));
    const ask = (...args) => spawnSync(process.env.NGINX_BINARY, ["-p", nginx.prefix, "-c", "conf/nginx.conf", ...args], { uid: 65534, gid: 65534, env: {} }).stderr.toString();
    assert.match(ask("-t"), /\[emerg\].*"file:secret" cannot be read: Permission denied in .*nginx\.conf:\d+/);
    const said = ask("-s", "stop");
    assert.doesNotMatch(said, /cannot be read|auth_js/);
    assert.match(said, /Operation not permitted|Permission denied/);
    assert.strictEqual(testConfig(nginx.prefix).ok, true);
    assert.strictEqual(await status(nginx, await session(secret)), 200);
    await nginx.stop();
});

test("a worker has threads where a store or a password file needs them, and none else", async () => {
    const threadsOf = (nginx) => fs.readdirSync(`/proc/${nginx.workers[0]}/task`).length;
    const needs = {
        "": 1,
        "auth_js_adapter sqlite {{prefix}}/db/auth.db;": 5,
        "auth_js_provider people { type credentials; field username; field password type=password; authorize htpasswd:{{prefix}}/people; }": 5,
    };
    for (const [line, threads] of Object.entries(needs)) {
        const nginx = await startNginx({ main: process.getuid() === 0 ? "user root;" : "", server: `${server} ${line}`, files, env: { AUTH_SECRET: canary() } });
        try {
            assert.strictEqual(await status(nginx), 401);  // the worker is there
            assert.strictEqual(threadsOf(nginx), threads, line);
        } finally {
            await nginx.stop();
        }
    }
});
