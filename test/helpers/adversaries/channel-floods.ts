import { Topics } from '../../../protocol/index.ts';
import { makeChannel } from '../fixtures/channel-keys.ts';
import { seedId } from '../fixtures/registry.ts';
import { EVIL } from './floods.ts';
import { publishPacket } from './raw-client.ts';

const topics = new Topics();
/** The first byte of a PUBLISH that is retained, with QoS 1. */
const RETAINED = 0x33;

function packets(count: number, make: (number: number) => Buffer): Buffer {
	return Buffer.concat(Array.from({ length: count }, (_, number) => make(number)));
}

/** A receipt of {@link EVIL} for each of `count` channels. */
export function receipts(count: number): Buffer {
	const text = Buffer.alloc(1_000, 'x');
	return packets(count, (number) =>
		publishPacket(topics.receipt(seedId(number), EVIL), text, RETAINED),
	);
}

/** The keys of `count` new channels, which are right. */
export function keysOfChannels(count: number): Buffer {
	return packets(count, () => {
		const { channel, text } = makeChannel().chain;
		return publishPacket(topics.channelKeys(channel, EVIL), text, RETAINED);
	});
}

/** A document for each of `count` channels whose keys nobody knows, with the same signature. */
export function documentsOfChannels(count: number): Buffer {
	const { chain, document } = makeChannel();
	const text = Buffer.from(document().text).toString();
	return packets(count, (number) => {
		const channel = seedId(number);
		const copy = Buffer.from(text.replaceAll(chain.channel, channel));
		return publishPacket(topics.channel(channel, EVIL), copy, RETAINED);
	});
}

/** The keys of one channel and `count` documents of it, each newer than the one before. */
export function newDocuments(count: number): Buffer {
	const { chain, document } = makeChannel();
	const keys = publishPacket(topics.channelKeys(chain.channel, EVIL), chain.text, RETAINED);
	const topic = topics.channel(chain.channel, EVIL);
	const rest = packets(count, (number) =>
		publishPacket(topic, document({ seq: number + 1 }).text, RETAINED),
	);
	return Buffer.concat([keys, rest]);
}

/** The keys of one channel, and `count` copies of its document. */
export function copies(count: number): Buffer {
	const { chain, document } = makeChannel();
	const keys = publishPacket(topics.channelKeys(chain.channel, EVIL), chain.text, RETAINED);
	const topic = topics.channel(chain.channel, EVIL);
	const copy = publishPacket(topic, document().text, RETAINED);
	return Buffer.concat([keys, packets(count, () => copy)]);
}
