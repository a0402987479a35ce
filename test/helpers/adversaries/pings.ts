import { Link, makeNodeId, Topics } from '../../../protocol/index.ts';
import type { Scope } from '../harness/suite.ts';

const topics = new Topics();

/**
 * Two clients, one of which sends to the other, to measure how much a third client delays the
 * messages.
 */
export class Pinger {
	readonly #from: Link;
	readonly #to: Link;
	#arrived: () => void = () => {};

	private constructor(from: Link, to: Link) {
		this.#from = from;
		this.#to = to;
		to.on('message', () => this.#arrived());
	}

	/** Connects two clients that are closed when the test ends. */
	static async join(t: Scope, url: string): Promise<Pinger> {
		const join = async (): Promise<Link> => {
			const link = await Link.open({ url, id: makeNodeId() });
			t.defer(() => link.close());
			await link.subscribe(topics.inboxFilter(link.id));
			return link;
		};
		return new Pinger(await join(), await join());
	}

	/** Sends one message. @returns ms until it arrives */
	async ping(): Promise<number> {
		const begun = performance.now();
		const isThere = new Promise<void>((resolve) => {
			this.#arrived = resolve;
		});
		this.#from.send(topics.request(this.#to.id, this.#from.id), Buffer.from('ping'));
		await isThere;
		return performance.now() - begun;
	}

	/**
	 * Sends one message after the other until `work` is done.
	 *
	 * @returns the 99th percentile of their times, ms
	 */
	async p99While(work: () => Promise<unknown>): Promise<number> {
		const times: number[] = [];
		let isOver = false;
		const working = work().finally(() => {
			isOver = true;
		});
		while (!isOver) {
			times.push(await this.ping());
		}
		await working;
		return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] as number;
	}
}
