import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import mqttPacket, { type Packet } from 'mqtt-packet';
import type { TrackerStats } from '../../../broker/tracker/tracker.ts';
import type { Limits } from '../../../protocol/index.ts';
import { encodeFrame, type Frame, FrameReader } from './frames.ts';

const PROGRAM = fileURLToPath(new URL('./tracker-process.js', import.meta.url));
const NOTHING = Buffer.alloc(0);

/** The use of the processor by a step of the tracker. */
export interface Step {
	/** CPU ms of the process, all threads. */
	readonly cpu: number;
	/** ms from the arrival of the messages to the last byte that the tracker wrote. */
	readonly answered: number;
	/** ms of the longest turn of the event loop. */
	readonly pause: number;
}

/** Memory of the process of the tracker, bytes, and the counters of the tracker. */
export interface TrackerFigures {
	/** Heap after a garbage collection. */
	readonly heapUsed: number;
	/** Buffers outside the heap. */
	readonly external: number;
	readonly resident: number;
	/** The largest number of resident bytes so far. */
	readonly peak: number;
	readonly stats: TrackerStats;
}

/** Handles a message of the tracker, which was published in a step of `cpu` CPU ms. */
export type OnPublish = (topic: string, payload: Buffer, cpu: number) => void;

/** A process with a tracker, and the part of the broker that talks to it. */
export class TrackerHost {
	readonly #child: ChildProcess;
	readonly #channel: Duplex;
	readonly #frames = new FrameReader();
	readonly #parser = mqttPacket.parser();
	readonly #onPublish: OnPublish;
	/** Packets with which the broker answers. */
	#answers: Buffer[] = [];
	#settle: (frame: Frame) => void = () => {};
	/** Messages that the tracker has published. */
	published = 0;
	#cpu = 0;

	private constructor(onPublish: OnPublish) {
		this.#onPublish = onPublish;
		this.#child = spawn(process.execPath, ['--expose-gc', PROGRAM], {
			stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
		});
		this.#channel = this.#child.stdio[3] as Duplex;
		this.#channel.on('data', (piece: Buffer) => {
			for (const frame of this.#frames.read(piece)) {
				this.#settle(frame);
			}
		});
		this.#parser.on('packet', (packet) => this.#handle(packet));
	}

	/** Starts a tracker, which is connected and ready when this resolves. */
	static async start(
		id: string,
		limits: Partial<Limits>,
		onPublish: OnPublish,
	): Promise<TrackerHost> {
		const host = new TrackerHost(onPublish);
		const settings = Buffer.from(JSON.stringify({ id, limits }));
		host.#parser.parse((await host.#send({ numbers: [0], bytes: settings })).bytes);
		await host.run(0, NOTHING);
		return host;
	}

	/** Process id. */
	get pid(): number {
		return this.#child.pid as number;
	}

	/** Whether the broker has to confirm messages of the tracker. */
	get hasAnswers(): boolean {
		return this.#answers.length > 0;
	}

	/**
	 * Delivers packets at the virtual time `at`, ms, and the confirmations of what the tracker has
	 * published before.
	 */
	async step(at: number, packets: Buffer): Promise<Step> {
		const bytes = Buffer.concat([...this.#answers, packets]);
		this.#answers = [];
		const { numbers, bytes: written } = await this.#send({ numbers: [1, at], bytes });
		const [cpu = 0, answered = 0, pause = 0] = numbers;
		this.#cpu = cpu;
		this.#parser.parse(written);
		return { cpu, answered, pause };
	}

	/** As {@link step}, and then confirms what the tracker publishes until it publishes no more. */
	async run(at: number, packets: Buffer): Promise<Step> {
		const first = await this.step(at, packets);
		let [cpu, pause] = [first.cpu, first.pause];
		while (this.hasAnswers) {
			const more = await this.step(at, NOTHING);
			cpu += more.cpu;
			pause = Math.max(pause, more.pause);
		}
		return { cpu, answered: first.answered, pause };
	}

	/** The number of announces that the tracker holds. */
	async announces(): Promise<number> {
		return (await this.#send({ numbers: [2], bytes: NOTHING })).numbers[0] as number;
	}

	/** Memory and counters. */
	async figures(): Promise<TrackerFigures> {
		const { bytes } = await this.#send({ numbers: [3], bytes: NOTHING });
		return JSON.parse(bytes.toString()) as TrackerFigures;
	}

	/** Ends the process. */
	async close(): Promise<void> {
		const ended = new Promise((resolve) => this.#child.once('exit', resolve));
		this.#channel.end();
		await ended;
	}

	#send(frame: Frame): Promise<Frame> {
		return new Promise((resolve, reject) => {
			const fail = (): void => reject(new Error('the process of the tracker has ended'));
			this.#child.once('exit', fail);
			this.#settle = (answer) => {
				this.#child.off('exit', fail);
				resolve(answer);
			};
			this.#channel.write(encodeFrame(frame));
		});
	}

	#handle(packet: Packet): void {
		switch (packet.cmd) {
			case 'connect':
				this.#answer({ cmd: 'connack', returnCode: 0, sessionPresent: false });
				break;
			case 'subscribe':
				this.#answer({
					cmd: 'suback',
					messageId: packet.messageId as number,
					granted: packet.subscriptions.map(({ qos }) => qos),
				});
				break;
			case 'pingreq':
				this.#answer({ cmd: 'pingresp' });
				break;
			case 'publish':
				this.published += 1;
				if (packet.qos === 1) {
					this.#answer({ cmd: 'puback', messageId: packet.messageId as number });
				}
				this.#onPublish(packet.topic, packet.payload as Buffer, this.#cpu);
				break;
		}
	}

	#answer(packet: Packet): void {
		this.#answers.push(mqttPacket.generate(packet));
	}
}
