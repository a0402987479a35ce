import { type ChannelLink, formatChannelLink, parseChannelLink } from '../../../protocol/index.ts';

/** Key in the local storage for the links of the watched channels. */
const KEY = 'shoal channels';
/** Most channels that the page watches: a client may make this many wide subscriptions at once. */
export const MOST_CHANNELS = 8;

/** The watched channels, and why a link was not added. */
export interface ChannelList {
	readonly channels: readonly ChannelLink[];
	/** For people; undefined: all links were added. */
	readonly problem?: string | undefined;
}

/** `channels` with the channels of `links`. */
export function withLinks(
	channels: readonly ChannelLink[],
	links: readonly string[],
): ChannelList & { /** Ids of the channels in `links`. */ readonly ids: readonly string[] } {
	let problem: string | undefined;
	const all = [...channels];
	const ids: string[] = [];
	for (const text of links) {
		const link = readLink(text);
		if (link === undefined) {
			problem = problemOf(text);
		} else if (all.some(({ id }) => id === link.id)) {
			ids.push(link.id);
		} else if (all.length >= MOST_CHANNELS) {
			problem = `The page watches ${MOST_CHANNELS} channels at most: remove one first.`;
		} else {
			ids.push(link.id);
			all.push(link);
		}
	}
	return { channels: all, problem, ids };
}

/** The channels that were watched before in this browser. */
export function keptChannels(): readonly ChannelLink[] {
	try {
		const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
		return Array.isArray(kept) ? withLinks([], kept.map(String)).channels : [];
	} catch {
		// Nothing is kept, or the browser lets the page keep nothing.
		return [];
	}
}

/** Keeps the channels for later visits, if the browser lets the page keep anything. */
export function keepChannels(channels: readonly ChannelLink[]): void {
	try {
		localStorage.setItem(KEY, JSON.stringify(channels.map(formatChannelLink)));
	} catch {
		// The channels are watched until the page is closed.
	}
}

function readLink(text: string): ChannelLink | undefined {
	try {
		return parseChannelLink(text);
	} catch {
		return undefined;
	}
}

function problemOf(text: string): string {
	const expected =
		'A channel link begins with shoal:channel?id= and 64 hexadecimal digits; shoal publish prints it.';
	return /^\s*shoal:(?!channel\?)/i.test(text)
		? `This is another kind of link. ${expected}`
		: `This link cannot be read. ${expected}`;
}
