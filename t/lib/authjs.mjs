// The real Auth.js and the module as two sites of one address: one answers in this process, the other
// through nginx. Each request goes to both, with the cookies that the one of them has set.
import http from "node:http";
import { Auth } from "@auth/core";

const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

// Node's fetch API makes a request of it; errors that Auth.js logs are kept for whoever asks why.
export async function askAuthjs(config, origin, { method, target, headers, body }, log) {
    const logger = { error: (e) => log.push(`${e.type ?? e.name}: ${e.cause?.err?.message ?? e.message}`), warn() {}, debug() {} };
    const request = new Request(origin + target, { method, headers, ...(body !== undefined && method === "POST" && { body }), redirect: "manual" });
    if (body === undefined || !headers["content-type"]) request.headers.delete("content-type");
    const answer = await Auth(request, { ...config(), logger });
    return { status: answer.status, headers: [...answer.headers].map(([n, v]) => [n.toLowerCase(), v]), body: await answer.text() };
}

export function askNginx(port, host, { method, target, headers, body }) {
    return new Promise((done, failed) => {
        const sent = { host, ...headers, ...(body !== undefined && { "content-length": Buffer.byteLength(body) }) };
        const rq = http.request({ host: "127.0.0.1", port, method, path: target, headers: sent, agent, timeout: 40_000 }, (rs) => {
            const chunks = [];
            rs.on("data", (c) => chunks.push(c)).on("error", failed).on("end", () => {
                const list = [];
                for (let i = 0; i < rs.rawHeaders.length; i += 2) list.push([rs.rawHeaders[i].toLowerCase(), rs.rawHeaders[i + 1]]);
                done({ status: rs.statusCode, headers: list, body: Buffer.concat(chunks).toString() });
            });
        });
        rq.on("timeout", () => rq.destroy(new Error(`no answer to ${method} ${target}`))).on("error", failed).end(body);
    });
}

// A browser's cookies and what it is about to do, for one of the two.
export class Side {
    cookies = new Map();           // name -> value as it stands on the wire
    pending = null;                // where the last sign-in was sent

    take(headers) {
        for (const [name, line] of headers) {
            if (name !== "set-cookie") continue;
            const pair = line.split(";")[0];
            const at = pair.indexOf("=");
            if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(pair.slice(0, at));
            else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
        }
    }
    get header() { return [...this.cookies].map(([n, v]) => `${n}=${v}`).join("; "); }
    get csrf() { return this.csrfName && (this.cookies.get(this.csrfName) ?? "").split(/%7C|\|/)[0]; }
}
