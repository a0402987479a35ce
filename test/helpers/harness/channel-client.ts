import { setTimeout } from 'node:timers/promises';
import {
	ChannelDocument,
	type Incoming,
	type KeyChain,
	Link,
	makeNodeId,
	Topics,
} from '../../../protocol/index.ts';
import type { Scope } from './suite.ts';
import { until } from './until.ts';

const topics = new Topics();
const QUIET_MS = 150;

/** An MQTT client that publishes and reads the messages of channels. */
export class ChannelClient {
	readonly link: Link;
	/** All messages so far. */
	readonly messages: Incoming[] = [];

	private constructor(link: Link) {
		this.link = link;
		link.on('message', (message) =>
			this.messages.push({ ...message, payload: message.payload.slice() }),
		);
	}

	/** Connects a client that is closed when the test ends. */
	static async join(
		t: Scope,
		url: string,
		{ id = makeNodeId(), password = id }: { id?: string; password?: string } = {},
	): Promise<ChannelClient> {
		const link = await Link.open({ url, id, password });
		t.defer(() => link.close());
		return new ChannelClient(link);
	}

	/** Node id. */
	get id(): string {
		return this.link.id;
	}

	/** Publishes the keys of a channel. @throws ShoalError if the broker ends the connection */
	async keys({ channel, text }: Pick<KeyChain, 'channel' | 'text'>): Promise<void> {
		await this.link.retain(topics.channelKeys(channel, this.id), text);
	}

	/** Publishes a document. @throws ShoalError if the broker ends the connection */
	async document({ channel, text }: Pick<ChannelDocument, 'channel' | 'text'>): Promise<void> {
		await this.link.retain(topics.channel(channel, this.id), text);
	}

	/** Publishes a receipt. @throws ShoalError if the broker ends the connection */
	async receipt(channel: string, text: string): Promise<void> {
		await this.link.retain(topics.receipt(channel, this.id), Buffer.from(text));
	}

	/** Subscribes to keys and documents of a channel. */
	async follow(channel: string): Promise<void> {
		for (const filter of topics.channelFilters(channel)) {
			await this.link.subscribe(filter);
		}
	}

	/**
	 * Waits until everything has arrived that others published before: a message to itself comes after
	 * it.
	 */
	async settle(): Promise<void> {
		const topic = topics.request(this.id, this.id);
		await this.link.subscribe(topics.inboxFilter(this.id));
		const before = this.#count(topic);
		await this.link.publish(topic, Buffer.from('{}'));
		await until('its own message', () => this.#count(topic) > before);
	}

	#count(topic: string): number {
		return this.messages.filter((message) => message.topic === topic).length;
	}

	/** The documents that it got so far, in the order of their arrival. */
	documents(onlyRetained = false): ChannelDocument[] {
		return this.#payloads('channel', onlyRetained).map((text) => ChannelDocument.parse(text));
	}

	/** The key chains that it got so far, as texts. */
	chains(onlyRetained = false): Uint8Array[] {
		return this.#payloads('channel-keys', onlyRetained);
	}

	/** The receipts that it got so far, as texts. */
	receipts(): string[] {
		return this.#payloads('receipt', false).map((text) => Buffer.from(text).toString());
	}

	#payloads(kind: string, onlyRetained: boolean): Uint8Array[] {
		return this.messages
			.filter(({ topic }) => topics.tryParse(topic)?.kind === kind)
			.filter(({ payload, isRetained }) => payload.length > 0 && (isRetained || !onlyRetained))
			.map(({ payload }) => payload);
	}
}

/**
 * Subscribes to the channel with a new client. @returns the retained documents and key chains
 */
export async function retainedOf(
	t: Scope,
	url: string,
	channel: string,
): Promise<{ readonly documents: ChannelDocument[]; readonly chains: Uint8Array[] }> {
	const late = await ChannelClient.join(t, url);
	await late.follow(channel);
	// Retained messages are sent a few at a time, so a message to itself can overtake them.
	for (let count = -1; count !== late.messages.length; ) {
		count = late.messages.length;
		await setTimeout(QUIET_MS);
	}
	await late.link.close();
	return { documents: late.documents(true), chains: late.chains(true) };
}
