import stringWidth from 'string-width';
import { type Load, type NodeState, nodeLabel, printable } from '../../../protocol/index.ts';
import type { NodeShare, SwarmOf, SwarmView } from '../../tracker/swarm-view.ts';
import { blockMap } from './bar.ts';
import { fit } from './text.ts';
import { countOf, formatBytes, formatRate, percent, sizeText } from './units.ts';

/** The size of the terminal. */
export interface Room {
	readonly columns: number;
	readonly rows: number;
}

const NODE_WIDTH = 21;
/** The widths that a map may have, in columns: the first one that leaves room for the rates. */
const MAPS = [64, 32, 16, 8];
/** Columns of a node's line without its map: the node, its percentage, and its two rates. */
const BESIDE_MAP = 2 + NODE_WIDTH + 2 + 5 + 4 + '↑ 99.9 MB/s ↓ 99.9 MB/s'.length;
/** Characters of an id that identify a node if there is no room for the whole id. */
const SHORT_ID = 12;
const MOST_NEWS = 6;

/** The lines of a screen that shows all swarms, and below them the latest `news`. */
export function swarmScreen(
	view: SwarmView,
	broker: string,
	news: readonly string[],
	room: Room,
): string[] {
	const latest = news.slice(-Math.min(MOST_NEWS, Math.max(1, Math.floor(room.rows / 4))));
	const head = [headLine(view, broker), ...loadLines(view.load), ''];
	const most = Math.max(1, room.rows - head.length - latest.length - 2);
	const swarms = view.swarms();
	const body = swarms.length === 0 ? [emptyText(view)] : clip(view, swarms, most, room.columns);
	const tail = latest.length === 0 ? [] : ['', ...latest];
	return [...head, ...body, ...tail].map((line) => fit(line, room.columns - 1));
}

function emptyText({ cutOffSince }: SwarmView): string {
	return cutOffSince === undefined
		? 'nobody shares anything yet'
		: 'what is shared is not known until the broker is back';
}

function headLine(view: SwarmView, broker: string): string {
	if (view.cutOffSince !== undefined) {
		const since = new Date(view.cutOffSince).toTimeString().slice(0, 8);
		return `${broker} · not connected since ${since}, trying again; below is the last known state`;
	}
	let up = 0;
	for (const state of view.nodes.values()) {
		up += state.up;
	}
	const tracker = view.hasTracker ? 'tracker ready' : 'no tracker';
	return `${broker} · ${tracker} · ${countOf(view.nodes.size, 'node')} · ${formatRate(up)}`;
}

function loadLines(load: Load | undefined): string[] {
	if (load === undefined) {
		return [];
	}
	const { clients, received, sent, queued, shed, lag, cpu } = load;
	const parts = [
		`broker ↓ ${formatRate(received)} ↑ ${formatRate(sent)}`,
		countOf(clients, 'client'),
		`CPU ${Math.round(cpu * 100)} %`,
		`lag ${lag < 10 ? lag : Math.round(lag)} ms`,
		queued > 0 ? `queued ${formatBytes(queued)}` : '',
		shed > 0 ? `shed ${shed}/s` : '',
	];
	return [parts.filter((part) => part !== '').join(' · ')];
}

function clip(
	view: SwarmView,
	swarms: readonly SwarmOf[],
	most: number,
	columns: number,
): string[] {
	const lines: string[] = [];
	for (const swarm of swarms) {
		lines.push(...swarmLines(view, swarm, columns));
		if (lines.length > most) {
			break;
		}
	}
	return lines.length <= most
		? lines
		: [...lines.slice(0, most - 1), '  … and more, for which there is no room'];
}

function swarmLines(view: SwarmView, { seed, nodes }: SwarmOf, columns: number): string[] {
	const [first] = nodes;
	if (first === undefined) {
		return [];
	}
	const { name, length, files } = first.announce;
	const seeders = nodes.filter(({ announce }) => announce.have.count === announce.chunks).length;
	const sum = `${countOf(seeders, 'seeder')}, ${countOf(nodes.length - seeders, 'downloader')}`;
	return [
		`${printable(name)}  ${sizeText(length, files)}  ${sum}`,
		`  ${seed}`,
		...nodes.flatMap((node) => [nodeLine(node, columns), ...sourceLines(view, node)]),
	];
}

function nodeLine({ node, announce, state }: NodeShare, columns: number): string {
	const { have, chunks } = announce;
	const width = MAPS.find((map) => columns > BESIDE_MAP + map) ?? MAPS.at(-1);
	const map = blockMap(have.map, width);
	const share = `${percent(have.count, chunks)} %`.padStart(5);
	return `  ${padded(nodeLabel(node, state?.name), NODE_WIDTH)}  ${share} ▕${map}▏ ${ratesOf(state)}`;
}

/** `text` in exactly `width` columns. */
function padded(text: string, width: number): string {
	const fitted = fit(text, width);
	return fitted + ' '.repeat(width - stringWidth(fitted));
}

function shortLabel(view: SwarmView, node: string): string {
	const name = view.nameOf(node);
	return name === undefined ? fit(node, SHORT_ID) : fit(nodeLabel(node, name), NODE_WIDTH);
}

/** The line with the sources of a node that lacks chunks; none for a seeder. */
function sourceLines(view: SwarmView, { announce, state }: NodeShare): string[] {
	const { sources = [] } = state ?? {};
	if (sources.length === 0 || announce.have.count === announce.chunks) {
		return [];
	}
	const peerTraffic = sources.map(({ node, lane, rate }) => {
		return `${shortLabel(view, node)} ${formatRate(rate)}${lane === 'direct' ? '' : ' by broker'}`;
	});
	return [`    ← ${peerTraffic.join(', ')}`];
}

function ratesOf(state: NodeShare['state']): string {
	const rates = [
		state !== undefined && state.up > 0 ? `↑ ${formatRate(state.up)}` : '',
		state !== undefined && state.down > 0 ? `↓ ${formatRate(state.down)}` : '',
		state?.lanes === undefined ? '' : lanesOf(state.lanes),
	];
	return rates.filter((rate) => rate !== '').join(' ');
}

/** The percentage of a node's traffic that used direct lanes. */
function lanesOf({ direct, broker }: NonNullable<NodeState['lanes']>): string {
	const straight = direct.sent + direct.received;
	const all = straight + broker.sent + broker.received;
	return all === 0 ? '' : `${percent(straight, all)} % direct`;
}
