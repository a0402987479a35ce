import { join } from 'node:path';
import { Layout } from '../../../protocol/index.ts';
import { CACHELESS, randomFile, Shoal, sha256, spawnBroker } from '../../helpers/harness/shoal.ts';
import { until } from '../../helpers/harness/until.ts';
import { checkTrace, readTrace } from './check-trace.ts';
import type { TortureContext } from './scenario.ts';

export const MIB = 1_048_576;
const HOUR = 3_600_000;

/** Options of a rig. */
export interface RigOptions {
	/** Bytes of the file. */
	readonly length: number;
	readonly seeders: number;
	/** The upload limit of each seeder, as `--max-up` takes it. */
	readonly maxUp: string;
	/** The URL of a running broker. Without it, the rig starts one. */
	readonly url?: string;
}

/**
 * A broker, seeders of a file and downloaders, each in its own process. They use only the broker
 * lane.
 */
export class Rig {
	readonly #t: TortureContext;
	readonly url: string;
	/** Undefined if the broker was running already. */
	readonly broker: Shoal | undefined;
	readonly digest: string;
	readonly length: number;
	readonly shares: Shoal[] = [];
	#id = '';
	#layout = new Layout(0, 1_024);
	#downloads = 0;

	private constructor(
		t: TortureContext,
		{ length }: RigOptions,
		at: { url: string; broker: Shoal | undefined; digest: string },
	) {
		this.#t = t;
		this.length = length;
		this.url = at.url;
		this.broker = at.broker;
		this.digest = at.digest;
	}

	static async start(t: TortureContext, options: RigOptions): Promise<Rig> {
		const digest = await randomFile(sourceOf(t), options.length);
		const { broker, url } =
			options.url === undefined ? await spawnBroker(t) : { broker: undefined, url: options.url };
		const rig = new Rig(t, options, { url, broker, digest });
		for (let index = 0; index < options.seeders; index += 1) {
			await rig.#share(options.maxUp);
		}
		return rig;
	}

	get id(): string {
		return this.#id;
	}

	/** Downloads the file to `output`, below the scenario's folder. */
	get(output: string, { flags = [], env = CACHELESS }: GetterOptions = {}): Getter {
		this.#downloads += 1;
		const trace = join(this.#t.folder, `trace-${this.#downloads}.jsonl`);
		const path = join(this.#t.folder, output);
		const over = ['--broker', this.url, '--lane', 'broker', '--trace', trace];
		const args = ['get', this.#id, '-o', path, '--no-linger', ...over, ...flags];
		return new Getter(new Shoal(this.#t, args, env), path, trace, this.#layout);
	}

	async #share(maxUp: string): Promise<void> {
		const args = ['share', sourceOf(this.#t), '--broker', this.url, '--max-up', maxUp];
		const share = new Shoal(this.#t, [...args, '--lane', 'broker']);
		const { id, length, chunks } = await share.event('sharing', HOUR);
		this.shares.push(share);
		this.#id = id as string;
		this.#layout = new Layout(length as number, chunkSizeOf(length as number, chunks as number));
	}
}

/** Options of a {@link Getter}. */
export interface GetterOptions {
	readonly flags?: readonly string[];
	readonly env?: NodeJS.ProcessEnv;
}

/** A process that downloads, and its trace. */
export class Getter {
	readonly process: Shoal;
	readonly path: string;
	readonly #trace: string;
	readonly #layout: Layout;

	constructor(process: Shoal, path: string, trace: string, layout: Layout) {
		this.process = process;
		this.path = path;
		this.#trace = trace;
		this.#layout = layout;
	}

	/** Bytes that the download has. */
	get have(): number {
		return Number(this.process.all('progress').at(-1)?.have ?? 0);
	}

	/** Bytes that were there when fetching began; undefined before that. */
	get kept(): number | undefined {
		const first = this.process.all('progress').find(({ phase }) => phase === 'fetching');
		return first === undefined ? undefined : Number(first.have);
	}

	/**
	 * Received bytes, duplicates included, from the trace. The trace is complete when the process
	 * has ended.
	 */
	get received(): number {
		return readTrace(this.#trace).reduce(
			(sum, line) => sum + (line.event === 'received' ? line.length : 0),
			0,
		);
	}

	/** Bytes per second between two times, computed from the progress events. */
	rate(from: number, to: number): number {
		const within = this.process.all('progress').filter(({ at }) => at >= from && at <= to);
		const [first, last] = [within[0], within.at(-1)];
		return first === undefined || last === undefined || first === last
			? 0
			: ((Number(last.have) - Number(first.have)) * 1_000) / (last.at - first.at);
	}

	async reaches(bytes: number, ms = HOUR): Promise<void> {
		await until(`${bytes} bytes are stored`, () => this.have >= bytes || this.hasEnded, ms);
	}

	get hasEnded(): boolean {
		return this.process.code !== undefined;
	}

	/** Waits for the end of the process, and checks the file and the trace. */
	async completes(t: TortureContext, digest: string, ms = HOUR): Promise<void> {
		const code = await this.process.exit(ms);
		const last = JSON.stringify(this.process.events.at(-1));
		t.check('the download ends with 0', code === 0, code === 0 ? undefined : `${code}: ${last}`);
		t.check('every byte is right', code === 0 && (await sha256(this.path)) === digest);
		this.checkTrace(t);
	}

	/** Checks the trace so far. */
	checkTrace(t: TortureContext): void {
		const problems = checkTrace(readTrace(this.#trace), this.#layout);
		t.check(
			'the trace is in order',
			problems.length === 0,
			problems.slice(0, 3).join('; ') || undefined,
		);
	}
}

/** The file that is shared. */
export function sourceOf({ folder }: TortureContext): string {
	return join(folder, 'source.bin');
}

function chunkSizeOf(length: number, chunks: number): number {
	return chunks < 2 ? Math.max(1, length) : 2 ** Math.ceil(Math.log2(length / chunks));
}
