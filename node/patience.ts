import { isShoalError, ShoalError } from '../protocol/index.ts';
import type { NodeContext } from './context.ts';

/** How long a broker and a ready tracker are asked before nobody has the seed. */
const NOBODY = 5_000;

/** Decides when a download that has nothing to begin with is to be given up. */
export class Patience {
	readonly #context: NodeContext;
	readonly #seed: string;
	#listed = 0;
	#nobodySince: number | undefined;

	constructor(context: NodeContext, seed: string) {
		this.#context = context;
		this.#seed = seed;
	}

	/** The tracker lists so many nodes that have something of the seed. */
	listed(nodes: number): void {
		this.#listed = nodes;
	}

	/**
	 * Why to give up now, or undefined to go on. To be asked while nothing has come.
	 *
	 * @param lastError why the last node that was tried could not give the seed
	 */
	lost(lastError: unknown): ShoalError | undefined {
		const { tracker, link } = this.#context;
		if (this.#listed > 0 || !link.isUp) {
			this.#nobodySince = undefined;
			return undefined;
		}
		this.#nobodySince ??= performance.now();
		if (performance.now() - this.#nobodySince <= NOBODY) {
			return undefined;
		}
		if (tracker.state === undefined) {
			return noTracker(link.url);
		}
		return isShoalError(lastError) ? lastError : this.#notFound();
	}

	#notFound(): ShoalError {
		return new ShoalError(
			'ERR_NOT_FOUND',
			`nobody has the seed ${this.#seed}; check the id with: shoal ls, or wait for it with --wait`,
		);
	}
}

function noTracker(url: string): ShoalError {
	return new ShoalError(
		'ERR_NO_TRACKER',
		`the broker at ${url} answers, but there is no tracker on it; start one: shoal tracker --broker ${url}`,
	);
}
