// `make run`: the demo site, from nothing to a page that one can sign in to. A local OpenID provider and
// a small API run in this process, nginx beside it in the foreground; all end together.
//
//   node demo/run.mjs <module.so> [folder for what it makes]
//
// PORT, PROVIDER_PORT, API_PORT, MAILBOX_PORT and SMTP_PORT (8080 to 8084) move it elsewhere on
// 127.0.0.1.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { mail } from './mail.mjs';
import { provider } from './provider.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const module_so = resolve(process.argv[2] ?? 'build/ngx_http_auth_js_module.so');
const folder = resolve(process.argv[3] ?? 'build/run');
const ports = {
    8080: Number(process.env.PORT ?? 8080),
    8081: Number(process.env.PROVIDER_PORT ?? 8081),
    8082: Number(process.env.API_PORT ?? 8082),
    8083: Number(process.env.MAILBOX_PORT ?? 8083),
    8084: Number(process.env.SMTP_PORT ?? 8084),
};

function give_up(text) {
    console.error(`make run: ${text}`);
    process.exit(1);
}

function taken(port) {
    return new Promise((answer) => {
        const s = connect(port, '127.0.0.1');
        s.once('connect', () => { s.destroy(); answer(true); });
        s.once('error', () => answer(false));
    });
}

// A secret stays the same from run to run, so that who signed in yesterday still is.
function secret(name) {
    const path = join(folder, name);
    if (!fs.existsSync(path)) fs.writeFileSync(path, randomBytes(32).toString('base64'), { mode: 0o600 });
    fs.chmodSync(path, 0o600);
    return fs.readFileSync(path, 'utf8');
}

// Who runs here, if one does; a file left behind by a run that was killed names nobody.
function running() {
    let pid;
    try {
        pid = Number(fs.readFileSync(join(folder, 'nginx.pid'), 'utf8'));
        process.kill(pid, 0);
        return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'nginx' ? pid : 0;
    } catch (e) {
        return e.code === 'EPERM' ? pid : 0;
    }
}

// --- what must be so before anything starts -------------------------------------------------------
if (!fs.existsSync(module_so)) give_up(`there is no ${module_so}: run make first`);
try {
    fs.mkdirSync(join(folder, 'tmp'), { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
} catch (e) {
    give_up(`${folder} cannot be written (${e.code}): it may be another user's; remove it as that user`);
}
const old = running();
if (old) give_up(`it already runs here, as process ${old}; stop it with: kill ${old}`);
fs.rmSync(join(folder, 'nginx.pid'), { force: true });
for (const [usual, port] of Object.entries(ports)) {
    const name = { 8080: 'PORT', 8081: 'PROVIDER_PORT', 8082: 'API_PORT', 8083: 'MAILBOX_PORT', 8084: 'SMTP_PORT' }[usual];
    if (await taken(port)) {
        give_up(`port ${port} of 127.0.0.1 is in use by another program (ss -ltnp 'sport = :${port}' ` +
                `names it); stop that, or choose another: make run ${name}=<port>`);
    }
}

// --- configuration --------------------------------------------------------------------------------
let client_secret;
try {
    secret('secret');
    client_secret = secret('client_secret');
    fs.rmSync(join(folder, 'html'), { force: true });
    fs.symlinkSync(join(here, 'html'), join(folder, 'html'));
    let conf = fs.readFileSync(join(here, 'nginx.conf'), 'utf8');
    for (const [usual, port] of Object.entries(ports)) {
        conf = conf.replaceAll(`127.0.0.1:${usual}`, `127.0.0.1:\0${port}`);
    }
    fs.writeFileSync(join(folder, 'nginx.conf'), conf.replaceAll('\0', ''));
} catch (e) {
    give_up(`${e.path ?? folder} cannot be written (${e.code}); remove ${folder} and try again`);
}
const site = `http://127.0.0.1:${ports[8080]}`;
// Workers may read what the person who started this may.
const globals = `load_module ${module_so};` + (process.getuid() === 0 ? ' user root;' : '');
const nginx = ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf'), '-g', globals];
const check = spawnSync('nginx', ['-t', '-q', ...nginx], { encoding: 'utf8' });
if (check.error) give_up(`nginx cannot be started (${check.error.code}); is /usr/sbin in PATH?`);
if (check.status !== 0) give_up(`nginx refuses the configuration:\n${check.stderr}`);

// --- everything up --------------------------------------------------------------------------------
const servers = [];
try {
    servers.push(await provider({
        issuer: `http://127.0.0.1:${ports[8081]}`,
        secret: client_secret,
        redirects: ['127.0.0.1', 'localhost'].map((h) => `http://${h}:${ports[8080]}/auth/callback/demo`),
    }));
} catch (e) {
    give_up(`the provider cannot listen on port ${ports[8081]} (${e.code})`);
}
try {
    servers.push(...await mail({ mailbox: ports[8083], smtp: ports[8084] }));
} catch (e) {
    give_up(`the mail sink cannot listen on ports ${ports[8083]} and ${ports[8084]} (${e.code})`);
}
const api = createServer((req, res) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({
        hello: req.headers['x-auth-name'], user: req.headers['x-auth-user'],
        email: req.headers['x-auth-email'], cookie: req.headers.cookie ?? null,
    }, null, 2) + '\n');
});
servers.push(api);
await new Promise((ready) => api.listen(ports[8082], '127.0.0.1', ready));

const child = spawn('nginx', nginx, { stdio: ['ignore', 'inherit', 'inherit'] });
let stopping = false;
function stop() {
    if (stopping) return;
    stopping = true;
    child.kill('SIGTERM');
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
child.once('exit', (code, signal) => {
    for (const s of servers) {
        s.close();
        s.closeAllConnections();
    }
    if (!stopping) give_up(`nginx ended by itself (${signal ?? `status ${code}`}); its words are above`);
    console.log('\nstopped');
    process.exit(0);
});
for (let i = 0; i < 200 && !(await taken(ports[8080])); i++) await new Promise((r) => setTimeout(r, 25));

console.log(`
  Open   ${site}/           a page for everybody
         ${site}/account/   a page for people who signed in (as Ada or Grace)
         http://127.0.0.1:${ports[8083]}/           the letters that sign-in by e-mail sends
  Ask    curl -i ${site}/api/me   401: nobody is signed in

  The configuration is ${join(folder, 'nginx.conf')}. Ctrl-C stops everything.
`);
