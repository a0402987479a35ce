import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as broker from '../../../broker/index.ts';
import * as protocol from '../../../protocol/index.ts';
import { type ApiExport, PublicApi } from './public-api.ts';
import { referenceOf, seeAlso } from './reference.ts';

/** The path of the reference of the library, docs/api.md. */
export const API_FILE: string = fileURLToPath(new URL('../../../../docs/api.md', import.meta.url));

/** The entries of the package, each with its file and the folder of its compiler options. */
export const ENTRIES: Readonly<Record<string, readonly [file: string, config: string]>> = {
	shoal: ['node/index.ts', 'node'],
	'shoal/broker': ['broker/index.ts', 'broker'],
	'shoal/browser': ['node/web/index.ts', 'node/web'],
	'shoal/protocol': ['protocol/index.ts', 'protocol'],
};

/**
 * A group of exports in the document: `<!-- api ENTRY: NAME NAME -->`, the generated text,
 * `<!-- /api -->`.
 */
const GROUP = /<!-- api (\S+): ([^>]*?) -->\n[\s\S]*?<!-- \/api -->/g;

/** The document whose groups are generated from the sources. */
export interface MadeApi {
	readonly text: string;
	/** `ENTRY NAME` of each export in a group, repeated if it is in several groups. */
	readonly described: readonly string[];
	/** `ENTRY NAME` of each export of the package. */
	readonly exported: readonly string[];
}

/** Generates the reference in the groups of the document. */
export function makeApi(): MadeApi {
	const api = new PublicApi();
	try {
		return fill(readFileSync(API_FILE, 'utf8'), api);
	} finally {
		api.close();
	}
}

function fill(document: string, api: PublicApi): MadeApi {
	const entries = new Map(
		Object.entries(ENTRIES).map(([entry, [file, config]]) => [entry, api.exportsOf(file, config)]),
	);
	const homes = homesOf(entries);
	const values = { ...broker, ...protocol };
	const described: string[] = [];
	const text = document.replace(GROUP, (_, from: string, list: string) => {
		const isEntry = entries.has(from);
		const exports = entries.get(from) ?? api.exportsOf(from, from.split('/')[0] ?? '');
		const parts = list.split(/\s+/).map((name) => {
			const about = exports.get(name);
			if (about === undefined) {
				throw new Error(`${from} exports no ${name}`);
			}
			described.push(...(isEntry ? [`${from} ${name}`] : []));
			const home = homes.get(about.declaredAt) ?? from;
			return isEntry && home !== from ? seeAlso(about, home) : referenceOf(about, values);
		});
		const body = parts
			.join('\n')
			.replace(/\n{3,}/g, '\n\n')
			.trim();
		return `<!-- api ${from}: ${list} -->\n\n${body}\n\n<!-- /api -->`;
	});
	const exported = [...entries].flatMap(([entry, all]) =>
		[...all.keys()].map((name) => `${entry} ${name}`),
	);
	return { text, described, exported };
}

/**
 * The entry at which each declaration is described: shoal/protocol if it exports it, else the first
 * entry that exports it.
 */
function homesOf(
	entries: ReadonlyMap<string, ReadonlyMap<string, ApiExport>>,
): Map<string, string> {
	const homes = new Map<string, string>();
	for (const [entry, exports] of [...entries].reverse()) {
		for (const { declaredAt } of exports.values()) {
			if (homes.get(declaredAt) !== 'shoal/protocol') {
				homes.set(declaredAt, entry);
			}
		}
	}
	return homes;
}
