import { ChannelDocument, type DocumentFields, quoted, ShoalError } from '../../protocol/index.ts';
import type { ChannelSession } from '../channel/channel-session.ts';
import { type ChannelStore, newerOf, type OwnChannel } from './channel-store.ts';

/** The fields of a document that its publisher chooses. */
export type NewDocument = Pick<DocumentFields, 'seed' | 'to' | 'others' | 'base'> & {
	/** ms from now on for which the document is valid. */
	readonly life: number;
};

/** Signs and publishes the documents of one channel, each with a higher number than all before. */
export class ChannelWriter {
	readonly #store: ChannelStore;
	readonly #session: ChannelSession;
	readonly #own: OwnChannel;
	/** The SHA-256 of each document that was signed here. */
	readonly #signed = new Set<string>();

	constructor(store: ChannelStore, session: ChannelSession, own: OwnChannel) {
		this.#store = store;
		this.#session = session;
		this.#own = own;
	}

	/**
	 * Publishes a document.
	 *
	 * @param decide gets the newest document, and returns the fields of the next one; undefined:
	 *   nothing is published
	 * @returns the document; undefined if `decide` has returned undefined
	 * @throws ShoalError ERR_CHANNEL if the keys were rotated elsewhere, ERR_LIMIT, ERR_DISCONNECTED,
	 *   ERR_TIMEOUT, ERR_PERMISSION, ERR_NO_SPACE, ERR_IO, ERR_ABORTED
	 */
	async write(
		decide: (newest: ChannelDocument | undefined) => NewDocument | undefined,
		signal?: AbortSignal,
	): Promise<ChannelDocument | undefined> {
		const { name, chain, sign } = this.#own;
		const session = this.#session;
		await session.settled(signal);
		return await this.#store.locked(
			name,
			async () => {
				const stored = (await this.#store.find(name))?.latest;
				const newest = newerOf(stored, session.newest);
				this.#checkKeys(newest);
				const next = decide(newest);
				if (next === undefined) {
					return undefined;
				}
				const { life, ...fields } = next;
				const now = Date.now();
				const isFirst = newest === undefined || newest.block < chain.last;
				const document = ChannelDocument.sign(
					{
						...{ ...fields, channel: chain.channel, name, block: chain.last },
						...{ seq: isFirst ? 1 : newest.seq + 1, published: now, until: now + life },
					},
					sign,
				);
				this.#signed.add(document.digest);
				// On the disk first: after a crash, the number must not be used for another document.
				this.#store.keep(name, document);
				await session.publish(chain, document);
				return document;
			},
			signal,
		);
	}

	/** Whether this object has signed `document`, also if it could not be published then. */
	hasSigned({ digest }: ChannelDocument): boolean {
		return this.#signed.has(digest);
	}

	/** @throws ShoalError ERR_CHANNEL if this machine does not have the newest keys */
	#checkKeys(newest: ChannelDocument | undefined): void {
		const { name, chain } = this.#own;
		const known = this.#session.chain;
		if ((known?.last ?? 0) > chain.last || (newest?.block ?? 0) > chain.last) {
			throw new ShoalError(
				'ERR_CHANNEL',
				`the keys of the channel ${quoted(name)} were rotated on another machine; only the newest publishing key can publish`,
			);
		}
	}
}
