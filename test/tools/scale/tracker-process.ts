import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Tracker } from '../../../broker/index.ts';
import type { Limits } from '../../../protocol/index.ts';
import { peakBytes, residentBytes } from '../../helpers/harness/proc.ts';
import { encodeFrame, type Frame, FrameReader } from './frames.ts';
import { VirtualTimers } from './virtual-timers.ts';

// The process of the tracker. It runs the tracker as it is shipped, and its MQTT client, but in
// virtual time: another process is the broker, and sends the virtual time and the bytes that arrive
// for each step. Frames come and go on descriptor 3.

/** Turns of the event loop without output after which a step is over. */
const QUIET_TURNS = 3;

/** The tracker's end of the connection to the broker. */
class BrokerStream extends Duplex {
	readonly written: Buffer[] = [];
	lastWrite = 0;

	override _read(): void {}

	override _write(bytes: Buffer, _encoding: string, done: () => void): void {
		this.written.push(Buffer.from(bytes));
		this.lastWrite = performance.now();
		done();
	}

	override _writev(chunks: Array<{ chunk: Buffer }>, done: () => void): void {
		for (const { chunk } of chunks) {
			this.written.push(Buffer.from(chunk));
		}
		this.lastWrite = performance.now();
		done();
	}
}

const timers = new VirtualTimers();
timers.install();
const stream = new BrokerStream({ highWaterMark: 2 ** 30 });
const channel = new Socket({ fd: 3 });
const reader = new FrameReader();
let tracker: Tracker | undefined;

/** Starts the tracker, which connects in the steps that follow. */
function start(settings: { id: string; limits: Partial<Limits> }): void {
	const options = { ...settings, url: 'mqtt://127.0.0.1', isAlone: true, now: () => timers.now };
	Tracker.start({ ...options, openStream: () => stream }).then(
		(started) => {
			tracker = started;
		},
		(error: unknown) => {
			console.error(error);
			process.exit(1);
		},
	);
}

/**
 * Delivers `bytes` at the virtual time `at`, and waits until the tracker is idle.
 *
 * @returns numbers: CPU ms, ms until the last byte was written, ms of the longest turn of the event
 *   loop; bytes: those that the tracker has written
 */
async function step(at: number, bytes: Buffer): Promise<Frame> {
	const cpu = process.cpuUsage();
	const startedAt = performance.now();
	stream.lastWrite = startedAt;
	timers.advance(at);
	if (bytes.length > 0) {
		stream.push(bytes);
	}
	let longest = 0;
	let turnedAt = startedAt;
	let seen = -1;
	for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
		await setImmediate();
		const now = performance.now();
		longest = Math.max(longest, now - turnedAt);
		turnedAt = now;
		if (stream.written.length !== seen) {
			seen = stream.written.length;
			quiet = 0;
		}
	}
	const { user, system } = process.cpuUsage(cpu);
	const numbers = [(user + system) / 1_000, stream.lastWrite - startedAt, longest];
	return { numbers, bytes: Buffer.concat(stream.written.splice(0)) };
}

/** Memory after a garbage collection, and the counters of the tracker. */
function figures(): Frame {
	const peak = peakBytes(process.pid);
	globalThis.gc?.();
	const { heapUsed, external } = process.memoryUsage();
	const resident = residentBytes(process.pid);
	const text = JSON.stringify({ heapUsed, external, resident, peak, stats: tracker?.stats() });
	return { numbers: [], bytes: Buffer.from(text) };
}

async function answer({ numbers: [kind, at = 0], bytes }: Frame): Promise<Frame> {
	switch (kind) {
		case 0:
			start(JSON.parse(bytes.toString()));
			return await step(0, Buffer.alloc(0));
		case 1:
			return await step(at, bytes);
		case 2:
			return { numbers: [tracker?.stats().announces ?? 0], bytes: Buffer.alloc(0) };
		default:
			return figures();
	}
}

let last: Promise<void> = Promise.resolve();
channel.on('data', (piece: Buffer) => {
	for (const frame of reader.read(piece)) {
		last = last.then(async () => {
			channel.write(encodeFrame(await answer(frame)));
		});
	}
});
channel.on('end', () => process.exit(0));
