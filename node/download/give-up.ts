import { isShoalError, ShoalError } from '../../protocol/index.ts';
import type { DownloadContext } from './download-types.ts';

/**
 * ms after which a seed without listed nodes counts as not found, and a silent tracker as absent.
 */
const NONE_LISTED = 5_000;
/** ms after which listed nodes that send no byte count as absent. */
const SILENT = 20_000;

/** The reasons, as far as a download knows them, why no node sends anything. */
export interface Silence {
	/** Whether nodes have the seed, but only direct lanes are used, and none to these nodes is open. */
	readonly isUnreached: boolean;
	/** Why the last node that was tried could not give the seed. */
	readonly lastError: unknown;
}

/** Decides when a download that has received nothing yet fails. */
export class GiveUp {
	readonly #context: Pick<DownloadContext, 'link' | 'tracker'>;
	readonly #seed: string;
	/**
	 * The number of listed nodes; undefined until the tracker has answered. The answer may take long,
	 * and its absence does not mean that no node has the seed.
	 */
	#listed: number | undefined;
	#liars = 0;
	#askedAt = 0;
	#silentSince: number | undefined;
	#noneListedSince: number | undefined;

	constructor(context: Pick<DownloadContext, 'link' | 'tracker'>, seed: string) {
		this.#context = context;
		this.#seed = seed;
	}

	/**
	 * The tracker lists `nodes` other nodes that announce the seed. Nodes that sent wrong bytes are
	 * not counted; there are `liars` of these.
	 */
	listed(nodes: number, liars: number): void {
		this.#listed = nodes;
		this.#liars = liars;
	}

	/** Starts the timeouts anew, because the download was not waiting for nodes. */
	restart(): void {
		this.#silentSince = undefined;
		this.#noneListedSince = undefined;
	}

	/**
	 * The error to fail with now; undefined if the download is to go on. Called only while no chunk
	 * has arrived.
	 *
	 * @param heardAt when bytes last arrived from any node, ms by performance.now()
	 */
	lost(heardAt: number, silence: Silence): ShoalError | undefined {
		const now = performance.now();
		if (heardAt >= this.#askedAt) {
			this.restart();
		}
		this.#askedAt = now;
		const { isUp } = this.#context.link;
		const { tracker } = this.#context;
		const isNone = this.#listed === 0 || (this.#listed ?? tracker.state) === undefined;
		this.#noneListedSince = isUp && isNone ? (this.#noneListedSince ?? now) : undefined;
		this.#silentSince = isUp ? (this.#silentSince ?? now) : undefined;
		const isNoneListed = now - (this.#noneListedSince ?? now) > NONE_LISTED;
		const isSilent = now - (this.#silentSince ?? now) > SILENT;
		return isNoneListed || isSilent ? this.#reason(silence) : undefined;
	}

	#reason({ isUnreached, lastError }: Silence): ShoalError {
		const { tracker, link } = this.#context;
		if (tracker.state === undefined) {
			return noTracker(link.url);
		}
		if (isShoalError(lastError)) {
			return lastError;
		}
		if (isUnreached) {
			return this.#noLane();
		}
		if (this.#listed === undefined) {
			return noAnswer(link.url);
		}
		if (this.#listed > 0) {
			return this.#nothingSent();
		}
		return this.#liars > 0 ? this.#allLie() : this.#notFound();
	}

	#noLane(): ShoalError {
		return new ShoalError(
			'ERR_NOT_FOUND',
			`no direct lane opens to the nodes that have the seed ${this.#seed}; leave out --lane direct to get it through the broker`,
		);
	}

	#nothingSent(): ShoalError {
		const nodes = this.#listed === 1 ? '1 node is' : `${this.#listed} nodes are`;
		return new ShoalError(
			'ERR_NOT_FOUND',
			`${nodes} listed for the seed ${this.#seed}, but none sends it; try again later, or wait with --wait`,
		);
	}

	#allLie(): ShoalError {
		return new ShoalError(
			'ERR_WRONG_BYTES',
			`all bytes received for the seed ${this.#seed}, from ${this.#liars} nodes, were wrong: the nodes lie, or the broker at ${this.#context.link.url} changes what it carries; try another broker, or --lane direct`,
		);
	}

	#notFound(): ShoalError {
		return new ShoalError(
			'ERR_NOT_FOUND',
			`nobody has the seed ${this.#seed}; check the id with: shoal ls, or wait for it with --wait`,
		);
	}
}

function noAnswer(url: string): ShoalError {
	return new ShoalError(
		'ERR_TIMEOUT',
		`the tracker on the broker at ${url} does not answer, so it is not known which nodes have the seed; try again later, or wait with --wait`,
	);
}

function noTracker(url: string): ShoalError {
	return new ShoalError(
		'ERR_NO_TRACKER',
		`the broker at ${url} answers, but there is no tracker on it; start one: shoal tracker --broker ${url}`,
	);
}
