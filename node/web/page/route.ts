import type { SeedSort } from '../messages.ts';

/** The view that is shown. The fragment of the URL names it, so that a link can lead to it. */
export type PageView =
	| SeedsRoute
	| { readonly view: 'seed'; readonly id: string }
	/** The files of a folder. */
	| { readonly view: 'folder'; readonly id: string }
	| { readonly view: 'nodes' }
	| { readonly view: 'files' }
	| ChannelsRoute
	/** The fragment names no view: `text` is the fragment. */
	| { readonly view: 'unknown'; readonly text: string };

/** The list of seeds, as it is searched and sorted. */
export interface SeedsRoute {
	readonly view: 'seeds';
	readonly query: string;
	readonly sort: SeedSort;
}

/** One channel and its followers, or all channels that the page watches. */
export interface ChannelsRoute {
	readonly view: 'channels';
	/** The links of the channels that the fragment names: one is shown alone. */
	readonly links: readonly string[];
}

const SORTS: readonly SeedSort[] = ['name', 'length', 'seeders', 'downloaders', 'rate', 'age'];
const ID = /^(?:seed\/)?([0-9a-f]{64})(\/files)?$/i;

/**
 * The view that a fragment names: `#ID` (also `#/seed/ID`), `#ID/files`, `#seeds?find=TEXT&sort=COLUMN`,
 * `#nodes`, `#files`, `#channels`, or `#channel=LINK`, also several times with `&` between;
 * without a fragment, the list of seeds.
 */
export function viewOf(fragment: string): PageView {
	const path = fragment.replace(/^#?\/*/, '');
	const [name = '', parameters] = split(path, '?');
	const [, id, files] = ID.exec(name) ?? [];
	if (id !== undefined) {
		return { view: files === undefined ? 'seed' : 'folder', id: id.toLowerCase() };
	}
	if (name === '' || name === 'seeds') {
		const asked = new URLSearchParams(parameters);
		const sort = SORTS.find((each) => each === asked.get('sort')) ?? 'name';
		return { view: 'seeds', query: asked.get('find') ?? '', sort };
	}
	if (name === 'channels' || name.startsWith('channel=')) {
		return { view: 'channels', links: new URLSearchParams(path).getAll('channel') };
	}
	return name === 'nodes' || name === 'files'
		? { view: name }
		: { view: 'unknown', text: decoded(path) };
}

/** The fragment that names the list of seeds, as it is searched and sorted. */
export function seedsFragment({ query, sort }: Omit<SeedsRoute, 'view'>): string {
	const parameters = new URLSearchParams();
	if (query !== '') {
		parameters.set('find', query);
	}
	if (sort !== 'name') {
		parameters.set('sort', sort);
	}
	return parameters.size === 0 ? '#seeds' : `#seeds?${parameters}`;
}

/** The fragment that names one channel. */
export function channelFragment(id: string): string {
	return `#channel=${id}`;
}

function split(text: string, mark: string): [before: string, after: string] {
	const at = text.indexOf(mark);
	return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** `text` with its percent-encoding decoded; unchanged if that is malformed. */
function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
