import type { PublishPacket } from 'aedes';
import {
	ChannelDocument,
	isShoalError,
	KeyChain,
	type Limits,
	type Topics,
	type Verify,
} from '../../protocol/index.ts';
import { type ChannelTopic, isOfChannel } from '../access/topic-rules.ts';
import { copyOf, type RetainedSection } from '../aedes/retained-store.ts';
import { RetainedChannel } from './retained-channel.ts';
import { RetainedReceipts } from './retained-receipts.ts';
import { SignatureBudget } from './signature-budget.ts';

/** Options of {@link ChannelStore}. */
export interface ChannelStoreOptions {
	readonly topics: Topics;
	readonly limits: Limits;
	/** ms, monotonic. */
	readonly now: () => number;
	readonly verify: Verify;
}

/** Thrown if a client has used up its checks of signatures. */
class TooManyChecks extends Error {}

/**
 * Checks the messages of channels, and retains the newest keys and document of each channel, and the
 * receipts. A receipt is a claim that cannot be checked, so any text is retained as a receipt.
 *
 * A message is checked before it is acknowledged, and stored afterwards, when Aedes delivers it. A
 * message that is not stored is delivered nevertheless: each receiver checks it as well.
 */
export class ChannelStore implements RetainedSection {
	/** Prefixes of the topics of channels. */
	readonly prefixes: readonly string[];
	readonly #topics: Topics;
	readonly #limits: Limits;
	readonly #now: () => number;
	readonly #verify: Verify;
	readonly #budget: SignatureBudget;
	readonly #channels = new Map<string, RetainedChannel>();
	readonly #receipts: RetainedReceipts;
	/** The keys or the document in each payload that was checked and is valid. */
	readonly #checked = new WeakMap<Uint8Array, KeyChain | ChannelDocument>();
	/** The clients that sent documents whose keys were not known when they were checked, by payload. */
	readonly #unchecked = new WeakMap<Uint8Array, object>();
	#unkept = 0;

	constructor({ topics, limits, now, verify }: ChannelStoreOptions) {
		this.prefixes = [`${topics.root}/channel/`, `${topics.root}/receipt/`];
		this.#topics = topics;
		this.#limits = limits;
		this.#now = now;
		this.#verify = verify;
		this.#budget = new SignatureBudget(limits, now());
		this.#receipts = new RetainedReceipts(limits);
	}

	/** Number of channels of which something is retained. */
	get channels(): number {
		return this.#channels.size;
	}

	/** Number of retained receipts. */
	get receipts(): number {
		return this.#receipts.size;
	}

	/** Number of retained messages. */
	get size(): number {
		let size = this.#receipts.size;
		for (const channel of this.#channels.values()) {
			size += channel.size;
		}
		return size;
	}

	/**
	 * Number of messages that were not retained because a limit was reached. The limit of checked
	 * signatures is one of these limits.
	 */
	get unkept(): number {
		return this.#unkept;
	}

	/**
	 * Whether a client may publish `payload` on `topic`; false if the payload is malformed or
	 * forged. A payload that cannot be checked is allowed. It cannot be checked if the keys of its
	 * channel are not known, or if the client sends more signatures than its limit.
	 *
	 * @param client an object for the connection that it came on
	 */
	check(client: object, topic: ChannelTopic, payload: Uint8Array): boolean {
		if (payload.length === 0 || topic.kind === 'receipt') {
			return true;
		}
		try {
			const verify = this.#verifierOf(client);
			const content =
				topic.kind === 'channel-keys'
					? this.#readKeys(topic.channel, payload, verify)
					: this.#readDocument(topic.channel, payload, verify);
			if (content === 'forged') {
				return false;
			}
			if (content === undefined) {
				this.#unchecked.set(payload, client);
			} else {
				this.#checked.set(payload, content);
			}
			return true;
		} catch (error) {
			if (error instanceof TooManyChecks) {
				this.#unkept += 1;
				return true;
			}
			if (isShoalError(error, 'ERR_CHANNEL')) {
				return false;
			}
			throw error;
		}
	}

	/**
	 * Retains a message that was checked, unless a newer one is known. An empty message deletes the
	 * retained message of its topic.
	 */
	store(packet: PublishPacket): void {
		const topic = this.#topics.tryParse(packet.topic);
		if (!isOfChannel(topic)) {
			return;
		}
		const isKept =
			packet.payload.length === 0
				? this.#forget(topic, packet.topic)
				: topic.kind === 'receipt'
					? this.#receipts.store(topic.channel, topic.from, copyOf(packet), this.#now())
					: this.#storeChecked(topic, packet);
		if (!isKept) {
			this.#unkept += 1;
		}
	}

	/** The retained messages that match `filter`, a filter for one channel. */
	matches(filter: string): PublishPacket[] {
		const [section, id = '', ...rest] = filter.slice(this.#topics.root.length + 1).split('/');
		const from = rest.at(-1);
		if (section === 'receipt') {
			return this.#receipts.of(id, from === '+' ? undefined : from);
		}
		const messages = this.#channels.get(id)?.messages(rest.length > 1 ? 'keys' : 'documents');
		const found = from === '+' ? [...(messages?.values() ?? [])] : [messages?.get(from ?? '')];
		return found.filter((packet) => packet !== undefined);
	}

	/** Deletes the receipts that are too old. */
	expire(): void {
		this.#receipts.expire(this.#now());
	}

	/** The returned function throws TooManyChecks if the client has used up its checks. */
	#verifierOf(client: object): Verify {
		return (key, signature, text) => {
			if (!this.#budget.take(client, this.#now())) {
				throw new TooManyChecks();
			}
			return this.#verify(key, signature, text);
		};
	}

	/** @throws ShoalError ERR_CHANNEL, TooManyChecks */
	#readKeys(id: string, payload: Uint8Array, verify: Verify): KeyChain {
		const chain = this.#channels.get(id)?.chain;
		return chain !== undefined && isEqual(chain.text, payload)
			? chain
			: KeyChain.parse(payload, verify, id);
	}

	/**
	 * @returns undefined if the key block of the document is not known
	 * @throws ShoalError ERR_CHANNEL, TooManyChecks
	 */
	#readDocument(
		id: string,
		payload: Uint8Array,
		verify: Verify,
	): ChannelDocument | undefined | 'forged' {
		const { chain, newest } = this.#channels.get(id) ?? {};
		if (newest !== undefined && isEqual(newest.text, payload)) {
			return newest;
		}
		const document = ChannelDocument.parse(payload);
		if (document.channel === id && (chain === undefined || document.block > chain.last)) {
			return undefined;
		}
		return chain !== undefined && document.channel === id && document.isSigned(chain, verify)
			? document
			: 'forged';
	}

	/** @returns false if a limit was reached */
	#storeChecked({ channel: id, from }: ChannelTopic, packet: PublishPacket): boolean {
		const payload = packet.payload as Uint8Array;
		const content = this.#checked.get(payload) ?? this.#checkAgain(id, payload);
		if (content === undefined) {
			return true;
		}
		const known = this.#channels.get(id);
		if (known === undefined && content instanceof ChannelDocument) {
			// The keys were deleted after the document was checked.
			return true;
		}
		if (!known?.has(from) && !this.#mayUseOneMore(from, known === undefined)) {
			return false;
		}
		const channel = known ?? new RetainedChannel(this.#limits.channelSenders);
		this.#channels.set(id, channel);
		const outcome =
			content instanceof KeyChain
				? channel.keepKeys(content, from, packet)
				: channel.keepDocument(content, from, packet);
		return outcome !== 'full';
	}

	/**
	 * Checks a document whose keys were not known at first. A client that publishes keys and then a
	 * document may get the acknowledgement of the keys, and send the document, before they are stored.
	 *
	 * @returns undefined if the keys are not known yet, or the document is forged
	 */
	#checkAgain(id: string, payload: Uint8Array): ChannelDocument | undefined {
		const client = this.#unchecked.get(payload);
		if (client === undefined) {
			return undefined;
		}
		try {
			const content = this.#readDocument(id, payload, this.#verifierOf(client));
			return content === 'forged' ? undefined : content;
		} catch (error) {
			if (error instanceof TooManyChecks) {
				this.#unkept += 1;
				return undefined;
			}
			throw error;
		}
	}

	/** Whether the limits allow messages of the node `from` in one more channel. */
	#mayUseOneMore(from: string, isNew: boolean): boolean {
		const { channels, nodeChannels } = this.#limits;
		if (isNew && this.#channels.size >= channels) {
			return false;
		}
		let own = 0;
		for (const channel of this.#channels.values()) {
			own += channel.has(from) ? 1 : 0;
		}
		return own < nodeChannels;
	}

	#forget({ kind, channel: id, from }: ChannelTopic, topic: string): true {
		if (kind === 'receipt') {
			this.#receipts.forget(topic);
			return true;
		}
		const channel = this.#channels.get(id);
		channel?.forget(kind === 'channel-keys' ? 'keys' : 'documents', from);
		if (channel?.size === 0) {
			this.#channels.delete(id);
		}
		return true;
	}
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
	return Buffer.compare(a, b) === 0;
}
