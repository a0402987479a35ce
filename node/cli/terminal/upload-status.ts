import type { ShoalNode } from '../../shoal-node.ts';
import type { Output } from './output.ts';
import { formatBytes, formatRate } from './units.ts';

const EVERY = 1_000;
const LIVE_EVERY = 250;
const PLAIN_EVERY = 5_000;

/** Prints how much a node sends until `end` is settled. @param hint as in {@link UploadStatus} */
export async function showUploads<T>(
	node: ShoalNode,
	output: Output,
	hint: string,
	end: Promise<T>,
): Promise<T> {
	const status = new UploadStatus(node, output, hint);
	try {
		return await end;
	} finally {
		status.end();
	}
}

/** Prints how much a node has sent, at the end of a command. */
export function printStopped(node: ShoalNode, output: Output): void {
	const sent = node.sent.total;
	output.event({ event: 'stopped', sent });
	output.line(`stopped; ${formatBytes(sent)} sent`);
}

/** Prints how much a node sends, once a second while it changes, until {@link end}. */
class UploadStatus {
	readonly #node: ShoalNode;
	readonly #output: Output;
	readonly #timers: NodeJS.Timeout[];
	#printed = '0 0';
	#plainAt = performance.now();

	/** @param hint the text after the numbers on a terminal */
	constructor(node: ShoalNode, output: Output, hint: string) {
		this.#node = node;
		this.#output = output;
		this.#timers = [
			setInterval(() => this.#print(), EVERY),
			setInterval(() => output.live(output.style('dim', `${this.#text()} · ${hint}`)), LIVE_EVERY),
		];
	}

	end(): void {
		for (const timer of this.#timers) {
			clearInterval(timer);
		}
		this.#output.endLive({ keep: false });
	}

	#print(): void {
		const { total, rate } = this.#node.sent;
		const news = `${total} ${rate}`;
		if (news === this.#printed) {
			return;
		}
		this.#printed = news;
		this.#output.event({ event: 'serving', sent: total, rate });
		if (!this.#output.isLive && performance.now() - this.#plainAt >= PLAIN_EVERY) {
			this.#plainAt = performance.now();
			this.#output.line(this.#text());
		}
	}

	#text(): string {
		const { total, rate } = this.#node.sent;
		return `serving: ${formatBytes(total)} sent, ${formatRate(rate)}`;
	}
}
