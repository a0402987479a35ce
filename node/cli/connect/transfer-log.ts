import type { LaneKind } from '../../lanes/lane.ts';
import type { TraceSink } from '../../stats/trace.ts';
import type { Output } from '../terminal/output.ts';

/** The most transfers that are remembered as begun. A forgotten transfer may be logged again. */
const MOST = 1_000;

interface Begun {
	readonly seed: string;
	readonly node: string | undefined;
	readonly lane: LaneKind;
}

/** Logs when the node begins to send a content to another node, and begins and ends a download. */
export class TransferLog {
	readonly #output: Output;
	readonly #begun = new Set<string>();

	constructor(output: Output) {
		this.#output = output;
	}

	/** The sink for the trace of the node. */
	readonly trace: TraceSink = (event) => {
		const { seed } = event;
		switch (event.event) {
			case 'sent':
				this.#begin(`sending ${seed} to ${event.node ?? 'all subscribers'}`, 'sending', event);
				break;
			case 'asked':
				this.#begin(`fetching ${seed}`, 'fetching', event);
				break;
			case 'complete':
				this.#begun.delete(`fetching ${seed}`);
				this.#output.log('info', 'fetched', `all of ${seed} is fetched`, { seed });
				break;
		}
	};

	#begin(what: string, name: string, { seed, node, lane }: Begun): void {
		if (!this.#begun.has(what)) {
			this.#begun.add(what);
			const [oldest] = this.#begun;
			if (this.#begun.size > MOST) {
				this.#begun.delete(oldest as string);
			}
			this.#output.log('info', name, `${what}, ${lane} lane first`, { seed, node, lane });
		}
	}
}
