// The mail sink of `make run`: takes every letter, delivers none, and shows them at its own address.
import { createServer } from 'node:http';

import { SMTPServer } from 'smtp-server';

import { page } from './provider.mjs';

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const decoded = (text) => Buffer.from(
    text.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, h) => String.fromCharCode(parseInt(h, 16))), 'latin1').toString();

// A message of two parts, text and HTML, in quoted-printable: what the module sends.
function read(message) {
    const head = message.slice(0, message.indexOf('\r\n\r\n'));
    const header = (name) => new RegExp(`^${name}: (.*)$`, 'mi').exec(head)?.[1].trim() ?? '';
    const boundary = /boundary="([^"]+)"/.exec(head)?.[1];
    const parts = message.split(`--${boundary}`).slice(1, 3).map((p) => decoded(p.slice(p.indexOf('\r\n\r\n') + 4)));
    return { to: header('To'), subject: header('Subject'), at: new Date(), text: parts[0] ?? message, html: parts[1] ?? '' };
}

const letter = (l) => `<article>
<h2>${escape(l.subject)}</h2>
<p>To ${escape(l.to)}, ${l.at.toLocaleTimeString('en-GB')}</p>
<p>${escape(l.text).replace(/https?:\/\/\S+/, (url) => `<a href="${url}">${url}</a>`)}</p>
<iframe sandbox="allow-top-navigation-by-user-activation allow-popups" title="as HTML" srcdoc="${escape(l.html)}"></iframe>
</article>`;
const mailbox_page = (letters) => page('Mailbox', `<h1>Mailbox</h1>
<p>Letters that the demo sent. Nothing leaves this machine; reload to look again.</p>
${letters.map(letter).join('\n') || '<p>None so far.</p>'}`);

// mail answers the servers to close in the end.
export async function mail({ smtp, mailbox }) {
    const letters = [];
    const sink = new SMTPServer({
        authOptional: true, disabledCommands: ['AUTH', 'STARTTLS'], logger: false,
        onData(stream, session, done) {
            const chunks = [];
            stream.on('data', (c) => chunks.push(c)).on('end', () => {
                letters.unshift(read(Buffer.concat(chunks).toString()));
                letters.length = Math.min(letters.length, 50);
                done();
            });
        },
    });
    sink.on('error', () => {});
    const shown = createServer((req, res) => res.setHeader('content-type', 'text/html; charset=utf-8').end(mailbox_page(letters)));
    await new Promise((ready, failed) => sink.listen(smtp, '127.0.0.1', ready).once('error', failed));
    await new Promise((ready, failed) => shown.once('error', failed).listen(mailbox, '127.0.0.1', ready));
    return [{ close: () => sink.close(), closeAllConnections() {} }, shown];
}
