import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { Bitfield, type Seed } from '../../../protocol/index.ts';
import { found, identityOf } from '../../storage/file-stamp.ts';
import { onFile } from '../../storage/fs-error.ts';
import { runsOf } from '../../util/runs.ts';

/** The part file and the content that a journal records. */
export interface JournalOptions {
	readonly path: string;
	readonly seed: Seed;
	/** The stats of the part file, when it was found or created. The journal records its chunks. */
	readonly part: BigIntStats;
	/** Undefined if the system has no such id: then no chunk is trusted without being hashed. */
	readonly bootId: string | undefined;
	/**
	 * Identifies the files of a folder that are stored, if not all are. A journal of another
	 * selection is not used. @default all
	 */
	readonly selection?: string | undefined;
}

/** The record of a part file. */
export interface Recorded {
	/** The recorded chunks; their writes had returned. */
	readonly chunks: Bitfield;
	/** Whether these chunks are trusted without hashing: the system has not been restarted since. */
	readonly isTrusted: boolean;
}

const VERSION = 'shoal-journal 1';
/**
 * Most ms, and most bytes, between two records. These limits bound what has to be fetched or hashed
 * again after a crash of the process.
 */
const EVERY = 250;
const MOST_PENDING = 16 * 1024 * 1024;
/** Permissions of a journal: other users must not see what is fetched of a private file. */
const OWNER_ONLY = 0o600;
/** ms by which the last write of a part file may be later than the last record. */
const LATE = 5_000;
/** Bytes of the largest journal that is read: more than the largest seed needs. */
const MOST_BYTES = 64 * 1024 * 1024;
const CHECK_DIGITS = 16;
const FAILED = 'failed';

/**
 * Records which chunks of a part file are verified and written, so that they need not be hashed again.
 * The journal is a text with one line for each record, the oldest first:
 *
 *     shoal-journal 1 <seed id> <length> <boot id, or -> <device>-<inode>[-<selection>] <check>
 *     0-63 70-70 <check>
 *
 * A record lists runs of chunks, each with its first and last chunk. The record `failed` means that
 * the disk did not store what was written, though the system may still return it from memory. A
 * check is computed from its line and the check before it. If a check is wrong, the journal is
 * ignored, and the part file has to be hashed. If a record cannot be written, the journal is
 * removed: that costs time later, but does not stop the download.
 */
export class Journal {
	readonly #options: JournalOptions;
	#pending: number[] = [];
	#timer: NodeJS.Timeout | undefined;
	#writing: Promise<void> = Promise.resolve();
	#file: FileHandle | undefined;
	#check = '';
	#isOver = false;

	constructor(options: JournalOptions) {
		this.#options = options;
	}

	/**
	 * The record of an earlier download; undefined if there is none that can be relied on. `failed`
	 * means that the disk failed: the right chunks of the part file have to be written again.
	 */
	async read(): Promise<Recorded | typeof FAILED | undefined> {
		const { path, seed, part, bootId } = this.#options;
		const text = await readText(path).catch(() => undefined);
		const journal = text === undefined ? undefined : parse(text.content, seed);
		if (text === undefined || journal === undefined || journal.part !== partOf(this.#options)) {
			return undefined;
		}
		if (journal.chunks === FAILED) {
			return FAILED;
		}
		// If the part file is newer than the record of it, another program has written to it.
		const isUntouched =
			part.size === BigInt(seed.length) && part.mtimeMs <= text.mtimeMs + BigInt(LATE);
		const isSameBoot = bootId !== undefined && journal.bootId === bootId;
		return isUntouched ? { chunks: journal.chunks, isTrusted: isSameBoot } : undefined;
	}

	/** Starts a new journal, with the chunks in `have`. */
	async begin(have: Bitfield): Promise<void> {
		await this.close();
		// Without chunks, nothing is written yet. A new part file may have the inode of the old one,
		// and an old journal would then say that it has the chunks of the old one.
		await this.#removeFile();
		this.#isOver = false;
		this.#pending = [...have.indices()];
		await this.flush();
	}

	/**
	 * The disk failed: adds a record that overrides all others and says that everything has to be
	 * written again. Closes the journal.
	 */
	async fail(): Promise<void> {
		await this.close();
		await this.#append(FAILED);
		await this.close();
	}

	/** Records `chunk`, which is verified and whose write has returned. */
	record(chunk: number): void {
		if (this.#isOver) {
			return;
		}
		this.#pending.push(chunk);
		if (this.#pending.length * this.#options.seed.layout.chunkSize >= MOST_PENDING) {
			void this.flush();
		} else {
			this.#timer ??= setTimeout(() => void this.flush(), EVERY);
		}
	}

	/** Writes all records so far to the file. Never rejects. */
	flush(): Promise<void> {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#writing = this.#writing.then(() => this.#appendPending());
		return this.#writing;
	}

	/** Stops recording; the journal stays for the next download. Never rejects; idempotent. */
	async close(): Promise<void> {
		this.#isOver = true;
		await this.flush();
		const file = this.#file;
		this.#file = undefined;
		await file?.close().catch(() => this.#giveUp());
	}

	/**
	 * Removes the journal, because nothing is left to check.
	 *
	 * @throws ShoalError ERR_PERMISSION, ERR_IO
	 */
	async remove(): Promise<void> {
		const { path } = this.#options;
		this.#pending = [];
		await this.close();
		await onFile(path, () => rm(path, { force: true }));
	}

	async #appendPending(): Promise<void> {
		const runs = runsOf(this.#pending.sort((a, b) => a - b));
		this.#pending = [];
		if (runs.length > 0) {
			await this.#append(runs.map(([first, last]) => `${first}-${last}`).join(' '));
		}
	}

	async #append(record: string): Promise<void> {
		try {
			// The header and the first record go in one write, so a header alone is an interrupted write.
			const header = this.#file === undefined ? this.#startLines() : '';
			this.#file ??= await this.#create();
			await this.#file.appendFile(header + this.#line(record));
		} catch {
			await this.#giveUp();
		}
	}

	async #create(): Promise<FileHandle> {
		const { path } = this.#options;
		await rm(path, { force: true });
		// The flag x makes this fail if another process has put a file or a symbolic link there.
		return await open(path, 'ax', OWNER_ONLY);
	}

	#startLines(): string {
		this.#check = '';
		return this.#line(headerOf(this.#options));
	}

	#line(payload: string): string {
		this.#check = checkOf(this.#check, payload);
		return `${payload} ${this.#check}\n`;
	}

	/**
	 * Removes the journal, because an incomplete one would cause chunks to be fetched again; without
	 * a journal the part file is hashed.
	 */
	async #giveUp(): Promise<void> {
		this.#isOver = true;
		this.#pending = [];
		await this.#removeFile();
	}

	async #removeFile(): Promise<void> {
		await rm(this.#options.path, { force: true }).catch(() => {});
	}
}

function headerOf(options: JournalOptions): string {
	const { seed, bootId } = options;
	return `${VERSION} ${seed.id} ${seed.length} ${bootId ?? '-'} ${partOf(options)}`;
}

function partOf({ part, selection }: JournalOptions): string {
	return selection === undefined ? identityOf(part) : `${identityOf(part)}-${selection}`;
}

function checkOf(before: string, payload: string): string {
	return createHash('sha256').update(`${before} ${payload}`).digest('hex').slice(0, CHECK_DIGITS);
}

/** Reads each byte as one character, so that no two texts are decoded to the same string. */
async function readText(path: string): Promise<{ content: string; mtimeMs: bigint } | undefined> {
	const stats = await found(path);
	return stats?.isFile() && stats.size <= BigInt(MOST_BYTES)
		? { content: await readFile(path, 'latin1'), mtimeMs: stats.mtimeMs }
		: undefined;
}

/** The record in the journal of `seed`; undefined if it is damaged, or of another seed. */
function parse(
	text: string,
	seed: Seed,
): { bootId: string; part: string; chunks: Bitfield | typeof FAILED } | undefined {
	const [header = '', ...records] = payloadsOf(text) ?? [];
	const start = `${VERSION} ${seed.id} ${seed.length} `;
	const [bootId, part] = header.slice(start.length).split(' ');
	if (!header.startsWith(start) || bootId === undefined || part === undefined) {
		return undefined;
	}
	if (records.includes(FAILED)) {
		return { bootId, part, chunks: FAILED };
	}
	const chunks = new Bitfield(seed.chunks);
	for (const run of records.flatMap((record) => record.split(' '))) {
		const [first = Number.NaN, last = Number.NaN] = run.split('-').map(Number);
		if (!seed.layout.isChunk(first) || !seed.layout.isChunk(last)) {
			return undefined;
		}
		chunks.setRange(first, last - first + 1);
	}
	return records.length > 0 ? { bootId, part, chunks } : undefined;
}

/** The lines without their checks; undefined if a check is wrong. */
function payloadsOf(text: string): string[] | undefined {
	const lines = text.split('\n');
	if (lines.pop() !== '') {
		return undefined;
	}
	let check = '';
	const payloads: string[] = [];
	for (const line of lines) {
		const payload = line.slice(0, -CHECK_DIGITS - 1);
		check = checkOf(check, payload);
		if (line !== `${payload} ${check}`) {
			return undefined;
		}
		payloads.push(payload);
	}
	return payloads;
}
