import {
	type Limits,
	MOST_CHAIN_BYTES,
	MOST_DOCUMENT_BYTES,
	MOST_RECEIPT_BYTES,
} from '../protocol/index.ts';
import { USUAL_PACKET } from './net/large-packets.ts';
import { MOST_UNREAD_IN_ALL } from './net/unread-answers.ts';

/** The most memory that a broker uses for one purpose. */
export interface MemoryRow {
	/** The purpose. */
	readonly what: string;
	/** The limits that it follows from. */
	readonly how: string;
	/** Most bytes. */
	readonly most: number;
}

const KIB = 1024;
/**
 * Bytes measured on Node.js 20: a retained message without its payload, an announce in the list
 * with the longest name, the topic of an announce that waits for its deletion, and a subscription in
 * Aedes.
 */
const KEPT = 0.75 * KIB;
const LISTED = 1_100;
const WAITING = 320;
const SUBSCRIPTION = 1.75 * KIB;
/** Bytes measured on Node.js 20: a retained receipt without its payload. */
const RECEIPT = 1.5 * KIB;
/**
 * Bytes of an answer in the queue of a client, however short it is: mqtt-packet writes it in
 * several pieces. Measured on Node.js 20 with `--expose-gc`, as the growth of the heap by 65,536
 * answers on a socket whose other end does not read: 211 for a PINGRESP, 435 for a PUBACK, 603 for
 * a SUBACK.
 */
const ANSWER = 640;
/** Bytes of a connection: socket, parser, client of Aedes. */
const CLIENT = 32 * KIB;
/** Bytes of the program, its libraries, and garbage that is not collected yet. */
const PROGRAM = 192 * KIB * KIB;

/**
 * The most memory that clients can make a broker use within its limits, by purpose. A broker uses
 * that much only if all limits are reached at once; with thirty nodes it uses about 100 MB.
 */
export function mostMemory(limits: Limits): MemoryRow[] {
	const { clients, incoming, subscriptions, announces } = limits;
	const packet = Math.min(limits.packet, USUAL_PACKET);
	const { cutQueue, queueTotal, keptPayload, channels, channelSenders, receipts } = limits;
	return [
		{
			what: 'queued for clients',
			how: 'clients × cutQueue, at most queueTotal',
			most: Math.min(clients * cutQueue, queueTotal),
		},
		{
			what: 'answers that clients do not read',
			how: `at most ${MOST_UNREAD_IN_ALL.toLocaleString('en')}`,
			most: MOST_UNREAD_IN_ALL * ANSWER,
		},
		{
			what: 'incoming packets',
			how: 'clients × packet up to 263,168, plus incoming if packet is larger',
			most: clients * (packet + CLIENT) + (packet < limits.packet ? incoming : 0),
		},
		{
			what: 'connections before CONNECT',
			// A WebSocket delivers only whole messages; a TCP connection needs less memory. The page may
			// have as many further connections as the broker may have clients.
			how: 'clients × packet up to 263,168, and as many HTTP connections',
			most: clients * (packet + CLIENT) + clients * CLIENT,
		},
		{
			what: 'retained messages',
			how: '(announces + clients) × keptPayload',
			most: (announces + clients) * (keptPayload + KEPT),
		},
		{
			what: 'channels',
			// The copies of a text share its bytes. What was read from it takes as many bytes again.
			how: 'channels × channelSenders',
			most: channels * (2 * (MOST_CHAIN_BYTES + MOST_DOCUMENT_BYTES) + 2 * channelSenders * KEPT),
		},
		{ what: 'receipts', how: 'receipts', most: receipts * (MOST_RECEIPT_BYTES + RECEIPT) },
		{
			what: "the tracker's list",
			// As many further announces, which were refused, may wait for their deletion.
			how: 'announces',
			most: announces * (LISTED + WAITING),
		},
		{
			what: 'subscriptions',
			how: 'clients × subscriptions',
			most: clients * subscriptions * SUBSCRIPTION,
		},
		{ what: 'the program itself', how: '', most: PROGRAM },
	];
}

/** The sum of {@link mostMemory}, in bytes. */
export function mostMemoryInAll(limits: Limits): number {
	return mostMemory(limits).reduce((sum, { most }) => sum + most, 0);
}
