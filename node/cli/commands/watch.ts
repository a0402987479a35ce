import { Link, makeNodeId, nodeLabel, printable, Topics } from '../../../protocol/index.ts';
import { followLink } from '../../tracker/follow-link.ts';
import { SwarmView } from '../../tracker/swarm-view.ts';
import type { Command } from '../command.ts';
import { type ConnectFlags, connectToChosen, namedBrokers } from '../connect/choose-broker.ts';
import { asBroker, clientBrokers, lanSearch } from '../connect/connect.ts';
import { EXIT } from '../exit-codes.ts';
import type { JsonEvent, Output } from '../terminal/output.ts';
import { swarmScreen } from '../terminal/swarm-screen.ts';
import { formatBytes, percent } from '../terminal/units.ts';

/** Arguments and flags of `shoal watch`. */
export type WatchFlags = ConnectFlags;

const DRAW_EVERY = 250;
const KEPT_NEWS = 20;
const ONLY_DRAWN: ReadonlySet<string> = new Set(['state', 'tracker', 'withdrawn', 'load']);

/** `shoal watch`: a live view of all swarms, drawn from the control topics alone. */
export function watchCommand(flags: WatchFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		const topics = new Topics();
		const open = (urls: readonly string[]): Promise<Link> => {
			const opening = Link.open({ id: makeNodeId(), ...clientBrokers(urls, flags.cert) });
			return interrupts.race(asBroker(opening, urls));
		};
		const named = namedBrokers(flags.broker);
		const link = await connectToChosen(named, open, lanSearch(context));
		const view = new SwarmView();
		const news: string[] = [];
		const labelOf = (node: unknown): string => nodeLabel(String(node), view.nameOf(String(node)));
		followLink(link, view);
		// Malformed payloads become a warning of the link, which is ignored.
		link.on('message', ({ topic, payload }) => {
			const parsed = topics.tryParse(topic);
			const event = parsed && view.apply(parsed, payload);
			if (event !== undefined) {
				output.event(event);
				printEvent(output, event, news, labelOf);
			}
		});
		const isList = link.urls.length > 1;
		link.on('down', () => {
			output.event({ event: 'offline', broker: link.url });
			note(output, `connection to ${isList ? link.url : 'the broker'} lost, trying again`, news);
		});
		link.on('up', () => {
			output.event({ event: 'online', broker: link.url });
			note(output, isList ? `connected to ${link.url}` : 'connection to the broker is back', news);
		});
		for (const filter of topics.watchFilters()) {
			await interrupts.race(asBroker(link.subscribe(filter), link.urls));
		}
		const draw = (): void => {
			const { columns, rows } = output;
			output.live(swarmScreen(view, link.url, news, { columns, rows }).join('\n'));
		};
		const timer = setInterval(draw, DRAW_EVERY);
		await interrupts.stopped();
		clearInterval(timer);
		await link.close();
		return EXIT.done;
	};
}

/** Returns the label of a node, for people. */
type LabelOf = (node: unknown) => string;

/**
 * Prints an event, except those of `ONLY_DRAWN`. Without a terminal, every other event is a line.
 * On a terminal, announces are not printed, as the screen shows them; other events become news.
 */
function printEvent(output: Output, event: JsonEvent, news: string[], labelOf: LabelOf): void {
	if (ONLY_DRAWN.has(event.event)) {
		return;
	}
	if (event.event === 'announce') {
		if (!output.isLive) {
			output.line(`${clock()}  ${announceText(event, labelOf)}`);
		}
		return;
	}
	note(output, eventText(event, labelOf), news);
}

function note(output: Output, text: string, news: string[]): void {
	const line = `${clock()}  ${text}`;
	if (output.isLive) {
		news.push(line);
		news.splice(0, Math.max(0, news.length - KEPT_NEWS));
	} else {
		output.line(line);
	}
}

function announceText({ node, name, have, chunks }: JsonEvent, labelOf: LabelOf): string {
	const share = percent(have as number, chunks as number);
	return `${labelOf(node)} has ${share} % of ${printable(String(name))}`;
}

/** An event of the tracker as a line: the event, the node, the file, details. */
function eventText(
	{ event, node, seed, name, length, chunk, by }: JsonEvent,
	labelOf: LabelOf,
): string {
	const parts = [event.replaceAll('-', ' ').padEnd(17)];
	if (node !== undefined) {
		parts.push(labelOf(node));
	}
	if (name !== undefined) {
		parts.push(printable(String(name)));
	} else if (seed !== undefined) {
		parts.push(`${String(seed).slice(0, 12)}…`);
	}
	if (length !== undefined) {
		parts.push(formatBytes(Number(length)));
	}
	if (chunk !== undefined) {
		parts.push(`chunk ${chunk}`);
	}
	if (by !== undefined) {
		parts.push(`says ${labelOf(by)}`);
	}
	return parts.join('  ');
}

function clock(): string {
	return new Date().toTimeString().slice(0, 8);
}
