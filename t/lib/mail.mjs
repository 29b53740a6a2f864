// Mail servers for tests: a real one (npm smtp-server) that keeps what it gets, and one that follows
// a script of bad manners.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { SMTPServer } from "smtp-server";

// certificate: self-signed, for `names`: { key, cert, file }.
export function certificate(...names) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-cert-"));
    const [key, file] = ["key.pem", "cert.pem"].map((n) => path.join(dir, n));
    const alternatives = names.map((n) => (net.isIP(n) ? `IP:${n}` : `DNS:${n}`)).join();
    const run = spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", `/CN=${names[0]}`, "-addext", `subjectAltName=${alternatives}`, "-keyout", key, "-out", file]);
    if (run.status !== 0) throw new Error(run.stderr.toString());
    return { key: fs.readFileSync(key), cert: fs.readFileSync(file), file };
}

const unfold = (text) => text.replace(/=\r\n/g, "");
const quoted = (text) => Buffer.from(unfold(text).replace(/=([0-9A-F]{2})/g, (_, h) => String.fromCharCode(parseInt(h, 16))), "latin1").toString();

// readLetter: a multipart/alternative message as people see it.
export function readLetter(message) {
    const [head, ...rest] = message.split("\r\n\r\n");
    const headers = Object.fromEntries(head.replace(/\r\n[ \t]/g, " ").split("\r\n").map((l) => [l.slice(0, l.indexOf(":")).toLowerCase(), l.slice(l.indexOf(":") + 2)]));
    const boundary = /boundary="([^"]+)"/.exec(headers["content-type"])[1];
    const parts = rest.join("\r\n\r\n").split(`--${boundary}`).slice(1, -1).map((p) => quoted(p.slice(p.indexOf("\r\n\r\n") + 4).replace(/\r\n$/, "")));
    return { headers, text: parts[0], html: parts[1], link: /https?:\/\/\S+/.exec(parts[0])[0] };
}

// startMail: `letters` fills up with { from, to: [...], secure, user, ...readLetter() }.
export async function startMail(options = {}) {
    const letters = [];
    const server = new SMTPServer({
        authOptional: true, disabledCommands: options.key ? [] : ["STARTTLS"], logger: false,
        onAuth: (auth, session, done) => (auth.password === "hunter2" ? done(null, { user: auth.username }) : done(new Error("no such user"))),
        onData(stream, session, done) {
            const chunks = [];
            stream.on("data", (c) => chunks.push(c)).on("end", () => {
                const { mailFrom, rcptTo } = session.envelope;
                letters.push({ from: mailFrom.address, to: rcptTo.map((r) => r.address), secure: session.secure, user: session.user, ...readLetter(Buffer.concat(chunks).toString()) });
                done();
            });
        },
        ...options,
    });
    server.on("error", () => {});
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    return {
        letters, port: server.server.address().port,
        close: () => new Promise((done) => server.close(done)),
        async next(n = letters.length + 1) {
            for (const end = Date.now() + 10_000; letters.length < n; await new Promise((r) => setTimeout(r, 10)))
                if (Date.now() > end) throw new Error("no letter came");
            return letters[n - 1];
        },
    };
}

// startRude: an SMTP server that says what `script` has for a verb ("greeting", "EHLO", "MAIL", "RCPT",
// "DATA", "."): a line, or null: nothing, ever; "drop": closes the connection.
export async function startRude(script) {
    const usual = { greeting: "220 rude ESMTP", EHLO: "250 rude", HELO: "250 rude", MAIL: "250 ok", RCPT: "250 ok", DATA: "354 go on", ".": "250 taken", QUIT: "221 bye" };
    const seen = [];
    const sockets = new Set();
    const server = net.createServer((s) => {
        sockets.add(s);
        const say = (verb) => {
            seen.push(verb);
            const line = verb in script ? script[verb] : usual[verb] ?? "250 ok";
            if (line === "drop") s.destroy();
            else if (line !== null) s.write(`${line}\r\n`);
        };
        let data = false, rest = "";
        s.on("error", () => {}).on("data", (d) => {
            rest += d;
            for (let at; (at = rest.indexOf("\r\n")) >= 0;) {
                const line = rest.slice(0, at);
                rest = rest.slice(at + 2);
                if (data && line !== ".") continue;
                const verb = data ? "." : line.split(" ")[0].toUpperCase();
                data = verb === "DATA" && !("DATA" in script);
                say(verb);
            }
        });
        say("greeting");
    });
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    return { port: server.address().port, seen, close: () => { for (const s of sockets) s.destroy(); server.close(); } };
}
