// A page as a tree, for comparing pages: elements with their attributes, text, nothing thrown away.
// It reads what Auth.js and the module write (quoted attributes, closed elements), not the web.
const empty = new Set(["meta", "input", "img", "hr", "br", "link"]);
const named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const plain = (s) => s.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (all, dec, hex, name) =>
    dec ? String.fromCodePoint(dec) : hex ? String.fromCodePoint(parseInt(hex, 16)) : named[name] ?? all);

// parsePage answers { tag: "#page", attributes, children }, a child being an element or a string.
export function parsePage(text) {
    const root = { tag: "#page", attributes: {}, children: [] };
    const open = [root];
    const token = /<!(?:--[\s\S]*?--|[^>]*)>|<\/([\w-]+)\s*>|<([\w-]+)((?:\s+[^\s=>/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+))?)*)\s*(\/?)>|[^<]+|</g;
    for (const [all, closed, opened, attributes, selfClosed] of text.matchAll(token)) {
        if (opened) {
            const tag = opened.toLowerCase();
            const list = [...attributes.matchAll(/([^\s=>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g)];
            const element = { tag, attributes: Object.fromEntries(list.map(([, n, a, b, c]) => [n.toLowerCase(), plain(a ?? b ?? c ?? "")])), children: [] };
            open.at(-1).children.push(element);
            if (!selfClosed && !empty.has(tag)) open.push(element);
        } else if (closed) {
            const at = open.findLastIndex((e) => e.tag === closed.toLowerCase());
            if (at > 0) open.length = at;
        } else if (all.startsWith("<!")) {
            open.at(-1).children.push(all.toLowerCase());
        } else if (typeof open.at(-1).children.at(-1) === "string") {
            open.at(-1).children[open.at(-1).children.length - 1] += plain(all);
        } else {
            open.at(-1).children.push(plain(all));
        }
    }
    return root;
}

// lines: one for each element, attribute and text, each with where it stands. What a style sheet
// says is no structure, nor is what only a screen reader is told.
export function lines(tree, path = "") {
    const at = `${path}/${tree.tag}`;
    const own = Object.entries(tree.attributes).filter(([n]) => n !== "role").sort(([a], [b]) => (a < b ? -1 : 1)).map(([n, v]) => `${at} @${n}=${v}`);
    const inside = tree.tag === "style" || tree.tag === "script" ? [] : tree.children.flatMap((c) => (typeof c === "string" ? (c.trim() ? [`${at} "${c}"`] : []) : lines(c, at)));
    return [at, ...own, ...inside];
}

// changes: the lines that one list has and the other has not, in order (longest common subsequence).
export function changes(before, after) {
    const n = before.length, m = after.length;
    const best = Array.from({ length: n + 1 }, () => new Uint16Array(m + 1));
    for (let i = n - 1; i >= 0; --i)
        for (let j = m - 1; j >= 0; --j)
            best[i][j] = before[i] === after[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    const out = [];
    let i = 0, j = 0;
    while (i < n || j < m) {
        if (i < n && j < m && before[i] === after[j]) ++i, ++j;
        else if (j >= m || (i < n && best[i + 1][j] >= best[i][j + 1])) out.push({ expected: before[i++] });
        else out.push({ actual: after[j++] });
    }
    return out;
}
