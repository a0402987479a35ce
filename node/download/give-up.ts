import { isShoalError, ShoalError } from '../../protocol/index.ts';
import type { DownloadContext } from './download-types.ts';

/** How long a broker and a ready tracker are asked before nobody has the seed. */
const NOBODY = 5_000;
/** How long nodes that are listed may send no byte before they are as good as not there. */
const SILENT = 20_000;

/** Decides when a download that has nothing to begin with is to be given up. */
export class GiveUp {
	readonly #context: Pick<DownloadContext, 'link' | 'tracker'>;
	readonly #seed: string;
	#listed = 0;
	#liars = 0;
	#askedAt = 0;
	#silentSince: number | undefined;
	#nobodySince: number | undefined;

	constructor(context: Pick<DownloadContext, 'link' | 'tracker'>, seed: string) {
		this.#context = context;
		this.#seed = seed;
	}

	/** The tracker lists so many nodes that have something of the seed, without those that sent wrong bytes. */
	listed(nodes: number, liars: number): void {
		this.#listed = nodes;
		this.#liars = liars;
	}

	/** Nothing was waited for: it starts anew. */
	restart(): void {
		this.#silentSince = undefined;
		this.#nobodySince = undefined;
	}

	/**
	 * Why to give up now, or undefined to go on. To be asked while no chunk has come.
	 *
	 * @param sentAt when bytes last came from any node, ms by performance.now()
	 * @param lastError why the last node that was tried could not give the seed
	 */
	lost(sentAt: number, lastError: unknown): ShoalError | undefined {
		const now = performance.now();
		if (sentAt >= this.#askedAt) {
			this.restart();
		}
		this.#askedAt = now;
		const { isUp } = this.#context.link;
		this.#nobodySince = isUp && this.#listed === 0 ? (this.#nobodySince ?? now) : undefined;
		this.#silentSince = isUp ? (this.#silentSince ?? now) : undefined;
		const isNobody = now - (this.#nobodySince ?? now) > NOBODY;
		const isSilent = now - (this.#silentSince ?? now) > SILENT;
		return isNobody || isSilent ? this.#nobody(lastError) : undefined;
	}

	#nobody(lastError: unknown): ShoalError {
		const { tracker, link } = this.#context;
		if (tracker.state === undefined) {
			return noTracker(link.url);
		}
		if (isShoalError(lastError)) {
			return lastError;
		}
		if (this.#listed > 0) {
			return this.#nothingSent();
		}
		return this.#liars > 0 ? this.#allLie() : this.#notFound();
	}

	#nothingSent(): ShoalError {
		return new ShoalError(
			'ERR_NOT_FOUND',
			`${this.#listed} nodes are listed for the seed ${this.#seed}, but none sends it; try again later, or wait with --wait`,
		);
	}

	#allLie(): ShoalError {
		return new ShoalError(
			'ERR_WRONG_BYTES',
			`all that came of the seed ${this.#seed} was wrong, from ${this.#liars} nodes; they lie, or the broker at ${this.#context.link.url} changes what it carries: try another broker, or --lane direct`,
		);
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
