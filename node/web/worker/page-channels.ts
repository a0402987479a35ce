import { isShoalError, makeNodeId } from '../../../protocol/index.ts';
import type { ChannelsSnapshot } from '../channel-messages.ts';
import type { PageAccess, ViewQuery, WorkerEvent } from '../messages.ts';
import { reasonOf } from './reason.ts';
import type { SwarmMonitor } from './swarm-monitor.ts';
import type { WatchedChannel } from './watched-channel.ts';
import { WebLink } from './web-link.ts';

/** ms between two tries to reach the broker. */
const TRY_EVERY = 2_000;

/**
 * The channels that a page watches. They have a connection of their own: a broker limits the
 * subscriptions of a connection, and a channel needs three. When the first channel is watched, the
 * connection is made, and the code that verifies signatures is loaded.
 */
export class PageChannels {
	/** ms by which the clock of the broker is ahead of that of this browser; undefined: not known. */
	clockAhead: number | undefined;
	readonly #send: (event: WorkerEvent) => void;
	readonly #swarm: SwarmMonitor;
	readonly #channels = new Map<string, WatchedChannel>();
	#ids: readonly string[] = [];
	#access: PageAccess | undefined;
	#link: Promise<WebLink> | undefined;
	/** The connection, once it was made. */
	#made: WebLink | undefined;
	/** Why no channel can be watched. */
	#problem: string | undefined;

	constructor(send: (event: WorkerEvent) => void, swarm: SwarmMonitor) {
		this.#send = send;
		this.#swarm = swarm;
	}

	/** The broker accepts the page, so channels can be watched. */
	accepted(access: PageAccess): void {
		this.#access = access;
		void this.#open();
	}

	/** Breaks the connection, which is made again when the user comes back to the page. */
	suspend(): void {
		this.#made?.drop();
	}

	/** Watches the channels with these ids, and no others. */
	watch(ids: readonly string[]): void {
		this.#ids = ids;
		for (const [id, channel] of this.#channels) {
			if (!ids.includes(id)) {
				this.#channels.delete(id);
				void channel.close();
			}
		}
		void this.#open();
	}

	/** Sends the channels to the page, if it shows them. */
	draw(at: ViewQuery): void {
		if (at.view === 'channels' || at.view === 'channel') {
			this.#send({ event: 'channels', channels: this.#snapshot(at) });
		}
	}

	async #open(): Promise<void> {
		const access = this.#access;
		if (access === undefined || this.#ids.length === 0) {
			return;
		}
		try {
			this.#link ??= reach(access);
			const { WatchedChannel } = await import('./watched-channel.ts');
			const link = await this.#link;
			this.#made = link;
			this.#problem = undefined;
			for (const id of this.#ids) {
				if (!this.#channels.has(id)) {
					const channel = new WatchedChannel(id, link, this.#swarm, () => this.clockAhead);
					this.#channels.set(id, channel);
				}
			}
		} catch (error) {
			this.#problem = reasonOf(error);
			this.#link = undefined;
		}
	}

	#snapshot(at: ViewQuery): ChannelsSnapshot {
		const rows = [...this.#channels.values()].map((channel) => channel.row());
		const fleet = at.view === 'channel' ? this.#channels.get(at.id)?.fleet(at) : undefined;
		return { problem: this.#problem, rows, fleet };
	}
}

/** Connects, as soon as the broker can be reached. @throws ShoalError ERR_REFUSED */
async function reach({ url, token }: Pick<PageAccess, 'url' | 'token'>): Promise<WebLink> {
	while (true) {
		try {
			return await WebLink.open({ url, id: makeNodeId(), password: `${token}:` });
		} catch (error) {
			if (isShoalError(error, 'ERR_REFUSED')) {
				throw error;
			}
			await new Promise((resolve) => setTimeout(resolve, TRY_EVERY));
		}
	}
}
