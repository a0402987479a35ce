import { createHash } from 'node:crypto';
import { printable } from '../../protocol/index.ts';
import { formatBytes } from '../util/size.ts';
import type { LevelRow } from './folder-level.ts';
import type { Listing } from './listing.ts';

// The colours of the page of the broker (node/web/page/base.css).
const STYLE = `
:root {
	color-scheme: light dark;
	--card: light-dark(#ffffff, #182228);
	--dim: light-dark(#51626c, #9db0ba);
	--line: light-dark(#d8e0e4, #2a3840);
	--accent: light-dark(#0b6e8f, #4fc3e8);
	font: 16px / 1.5 system-ui, sans-serif;
	background: light-dark(#f6f8f9, #10171b);
	color: light-dark(#14212a, #e6eef2);
}
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 0.3rem; overflow-wrap: anywhere; }
p { margin: 0 0 1rem; color: var(--dim); }
a { color: var(--accent); text-decoration: none; }
p a, a:hover { text-decoration: underline; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); }
th, td { padding: 0.25rem 0.8rem; text-align: left; border-top: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--dim); }
td:first-child, code { overflow-wrap: anywhere; }
th + th, td + td { text-align: right; white-space: nowrap; width: 1%; color: var(--dim); }
footer { margin-top: 1rem; color: var(--dim); font-size: 0.9rem; }
`;

/** The Content-Security-Policy of a listing: it has no scripts, and only its own style sheet. */
export const LISTING_POLICY = [
	"default-src 'none'",
	`style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
].join('; ');

/**
 * The page that lists one level of a folder, as HTML in pieces. In all names, the special
 * characters of HTML become character references, and characters that are invisible or change the
 * direction of reading become `\u{…}`. All links are relative.
 */
export function* listingPage({ id, name, level, links }: Listing): Generator<string> {
	const { path, rows, files, length } = level;
	const parts = path === '' ? [] : path.split('/');
	const title = [name, ...parts].map(escaped).join('/');
	const zip = `${'../'.repeat(parts.length + 1)}${id}.zip`;
	const what = parts.length === 0 ? 'all' : 'the whole folder';
	const without = links === 0 ? '' : `, without ${counted(links, 'symbolic link')}`;
	yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${trail([name, ...parts])}</h1>
<p>${counted(files, 'file')}, ${formatBytes(length)} · <a href="${zip}">Download ${what} as a zip file</a>${without}</p>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">Size</th></tr></thead>
<tbody>
`;
	for (const row of rows) {
		yield rowOf(row);
	}
	yield `</tbody>
</table>
${rows.length === 0 ? '<p>This folder is empty.</p>\n' : ''}<footer>To download and verify it with shoal: <code>shoal get ${id}</code></footer>
</body>
</html>
`;
}

/** The name of the folder and the folders down to the level, each with its link. */
function trail(names: readonly string[]): string {
	const last = names.length - 1;
	return names
		.map((name, at) => {
			return at === last ? shown(name) : `<a href="${'../'.repeat(last - at)}">${shown(name)}</a>/`;
		})
		.join('<wbr>');
}

function rowOf({ name, entry, files, length }: LevelRow): string {
	const href = encodeURIComponent(name);
	const size = formatBytes(length);
	if (entry === undefined || entry.kind === 'd') {
		return row(`<a href="${href}/">${shown(name)}/</a>`, `${counted(files, 'file')}, ${size}`);
	}
	return entry.kind === 'l'
		? row(shown(name), 'symbolic link')
		: row(`<a href="${href}">${shown(name)}</a>`, size);
}

function row(name: string, size: string): string {
	return `<tr><td>${name}</td><td>${size}</td></tr>\n`;
}

const REFERENCES: Readonly<Record<string, string>> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&#39;',
};

/** A name as HTML, its direction of reading isolated from the text around it. */
function shown(name: string): string {
	return `<bdi>${escaped(name)}</bdi>`;
}

function escaped(name: string): string {
	return printable(name).replace(/[&<>"']/g, (character) => REFERENCES[character] ?? '');
}

function counted(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
