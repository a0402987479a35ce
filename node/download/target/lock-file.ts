import { open, readFile, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nanoid } from 'nanoid';
import { quoted, ShoalError } from '../../../protocol/index.ts';
import { found, identityOf } from '../../storage/file-stamp.ts';
import { fsError, onFile } from '../../storage/fs-error.ts';
import { abortError } from '../../util/abort.ts';
import { every } from '../../util/timers.ts';
import { hasEnded, type ProcessIdentity, thisProcess } from './process-identity.ts';

/** Options of {@link LockFile.take}. */
export interface TakeOptions {
	readonly signal?: AbortSignal | undefined;
	/**
	 * Called repeatedly while another process, or another part of this one, has the lock, or may
	 * have it.
	 */
	readonly onWait?: (() => void) | undefined;
	/**
	 * ms without a sign of life after which an owner counts as dead, even if the owner's process is
	 * still running.
	 *
	 * @default 10_000
	 */
	readonly silence?: number | undefined;
}

/** The owner named in a lock file. */
export interface LockOwner {
	readonly token: string;
	/** The purpose of the lock, 64 hex digits: a seed id, or the id of a channel. */
	readonly purpose: string;
	readonly process: ProcessIdentity;
}

/** A lock file as it was found. */
interface FoundLock {
	/** Changes when the file is replaced, or when its owner gives a sign of life. */
	readonly state: string;
	/** Undefined if the file is being written, is damaged, or belongs to another user. */
	readonly owner: LockOwner | undefined;
}

const VERSION = 'shoal-lock 1';
/** Permissions of a lock: other users must not see what is fetched. */
const OWNER_ONLY = 0o600;
/** ms between two signs of life. */
const SIGN_EVERY = 2_000;
const SILENCE = 10_000;
const POLL = 100;

/** Tokens of the locks that this process has. */
const held = new Set<string>();

/**
 * A lock among all processes and machines that see a folder. It is a file of one line:
 *
 *     shoal-lock 1 <token> <purpose> <pid> <boot id>/<pid namespace> <start of the process>
 *
 * Node.js has no flock, and a socket cannot be seen from other machines and containers. An owner
 * counts as dead when the times of the file have not changed for a while. If the process of the
 * owner can be looked up, the owner also counts as dead as soon as that process has ended.
 *
 * A lock that is found may be left from before a loss of power. So an owner whose process cannot be
 * looked up counts as alive only after it has given a sign.
 */
export class LockFile {
	readonly #path: string;
	readonly #token: string;
	readonly #timer: ReturnType<typeof setInterval>;

	private constructor(path: string, token: string) {
		this.#path = path;
		this.#token = token;
		this.#timer = every(() => void this.#giveSign(), SIGN_EVERY);
	}

	/**
	 * Takes the lock. Waits while another owner has it.
	 *
	 * @param path of the lock file
	 * @param purpose 64 hex digits
	 * @param refusal returns the error to throw instead of waiting for an owner that is known to be
	 *   alive, or undefined
	 * @throws ShoalError that of `refusal`, ERR_EXISTS if something else is at the path, ERR_ABORTED,
	 *   and the errors of the file system
	 */
	static async take(
		path: string,
		purpose: string,
		refusal: (owner: LockOwner) => ShoalError | undefined,
		options: TakeOptions = {},
	): Promise<LockFile> {
		const token = nanoid();
		const { pid, scope, startedAt } = await thisProcess();
		const text = `${[VERSION, token, purpose, pid, scope, startedAt].join(' ')}\n`;
		// Before the file exists: other owners in this process must not count this one as dead.
		held.add(token);
		try {
			await wait(path, refusal, options, async () => await create(path, text));
			return new LockFile(path, token);
		} catch (error) {
			held.delete(token);
			throw error;
		}
	}

	/**
	 * Releases the lock. Never rejects; idempotent. If the file cannot be removed, other processes
	 * can still take the lock, because the times of the file no longer change.
	 */
	async release(): Promise<void> {
		clearInterval(this.#timer);
		if (held.delete(this.#token)) {
			// If this process was suspended for long, another process may have the lock.
			const now = await read(this.#path).catch(() => undefined);
			if (now?.owner?.token === this.#token) {
				await rm(this.#path, { force: true }).catch(() => {});
			}
		}
	}

	async #giveSign(): Promise<void> {
		const now = new Date();
		await utimes(this.#path, now, now).catch(() => {});
	}
}

/** Repeats `attempt` until it succeeds. @throws as {@link LockFile.take} */
async function wait(
	path: string,
	refusal: (owner: LockOwner) => ShoalError | undefined,
	{ signal, onWait, silence = SILENCE }: TakeOptions,
	attempt: () => Promise<boolean>,
): Promise<void> {
	const watch = new OwnerWatch(silence);
	while (!signal?.aborted) {
		if (await attempt()) {
			return;
		}
		const other = await read(path);
		if (other === undefined) {
			continue;
		}
		const isAlive = await watch.isAlive(other);
		if (isAlive === false) {
			await takeAway(path, other);
			continue;
		}
		const why = isAlive && other.owner ? refusal(other.owner) : undefined;
		if (why !== undefined) {
			throw why;
		}
		onWait?.();
		await sleep(POLL, undefined, { signal }).catch(() => {});
	}
	throw abortError(signal, 'waiting for another process was stopped');
}

/** Looks at a lock again and again, to find out whether its owner is alive. */
class OwnerWatch {
	readonly #silence: number;
	#state: string | undefined;
	#since = 0;
	#hasSign = false;

	/** @param silence as in {@link TakeOptions} */
	constructor(silence: number) {
		this.#silence = silence;
	}

	/** Whether the owner of the lock is alive; undefined as long as this is not known. */
	async isAlive(lock: FoundLock): Promise<boolean | undefined> {
		if (lock.state !== this.#state) {
			this.#hasSign = this.#state !== undefined;
			this.#state = lock.state;
			this.#since = performance.now();
		}
		const isRunning = await isOwnerRunning(lock);
		if (isRunning === false || performance.now() - this.#since > this.#silence) {
			return false;
		}
		return isRunning ?? (this.#hasSign || undefined);
	}
}

/** Creates the lock file. @returns false if there is one already */
async function create(path: string, text: string): Promise<boolean> {
	try {
		const file = await open(path, 'wx', OWNER_ONLY);
		try {
			await file.appendFile(text);
		} catch (error) {
			await rm(path, { force: true }).catch(() => {});
			throw error;
		} finally {
			await file.close();
		}
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
			return false;
		}
		// The error names the folder, because the user does not know the lock file.
		throw fsError(error, dirname(path));
	}
}

async function read(path: string): Promise<FoundLock | undefined> {
	// Reading it first makes a network file system update the times of the file.
	const text = await readFile(path, 'latin1').catch(() => '');
	const stats = await found(path);
	if (stats?.isFile() === false) {
		throw new ShoalError('ERR_EXISTS', `${quoted(path, 300)} is in the way; move it away`);
	}
	return stats && { state: `${identityOf(stats)} ${stats.mtimeNs} ${text}`, owner: parse(text) };
}

function parse(text: string): LockOwner | undefined {
	const [start, version, token, purpose, pid, scope, startedAt, ...rest] = text
		.trimEnd()
		.split(' ');
	if (`${start} ${version}` !== VERSION || rest.length > 0 || !text.endsWith('\n')) {
		return undefined;
	}
	return token && purpose && scope && startedAt
		? { token, purpose, process: { pid: Number(pid), scope, startedAt } }
		: undefined;
}

/** Whether the owner of the lock is running; undefined if this process cannot know. */
async function isOwnerRunning({ owner }: FoundLock): Promise<boolean | undefined> {
	if (owner === undefined) {
		return undefined;
	}
	const { pid, scope } = await thisProcess();
	const isOwn = owner.process.pid === pid && owner.process.scope === scope;
	if (isOwn) {
		return held.has(owner.token);
	}
	const isOver = await hasEnded(owner.process);
	return isOver === undefined ? undefined : !isOver;
}

/** Removes a lock whose owner is dead, but not a lock that another process took in the meantime. */
async function takeAway(path: string, dead: FoundLock): Promise<void> {
	const aside = join(dirname(path), `.shoal-lock-${nanoid()}`);
	try {
		await rename(path, aside);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return;
		}
		throw fsError(error, path);
	}
	const moved = await read(aside);
	const isOther = moved !== undefined && moved.owner?.token !== dead.owner?.token;
	await onFile(path, () => (isOther ? rename(aside, path) : rm(aside, { force: true })));
}
