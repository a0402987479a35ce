import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import * as v from 'valibot';
import { ensureFolder, writePrivate } from '../../broker/for-nodes.ts';
import {
	ChannelDocument,
	KeyChain,
	makeNodeId,
	quoted,
	ShoalError,
	verifyNatively,
} from '../../protocol/index.ts';
import type { ChannelView } from '../channel/channel-view.ts';
import { fsError } from '../storage/fs-error.ts';
import { stateHome } from '../storage/home-folder.ts';
import { readIfThereSync } from '../storage/read-if-there.ts';

/** The outcome of the last version, whose command has ended. */
export interface Done {
	/** Seed id. */
	readonly seed: string;
	/** Why its command failed; undefined if it succeeded, or there was none. */
	readonly code?: string | undefined;
}

const VERSION = 1;
const kept = v.object({
	version: v.literal(VERSION),
	channel: v.string(),
	folder: v.string(),
	node: v.string(),
	secret: v.string(),
	keys: v.optional(v.string()),
	newest: v.optional(v.string()),
	done: v.optional(v.object({ seed: v.string(), code: v.optional(v.string()) })),
});
type Kept = v.InferOutput<typeof kept>;

/** Options of {@link FollowerState.open}. */
export interface FollowerStateOptions {
	/** The folder for state. @default that of this user */
	readonly data?: string | undefined;
	/** Channel id. */
	readonly channel: string;
	/** Absolute path of the folder that follows, without symbolic links. */
	readonly folder: string;
}

/**
 * The state of a follower that outlives its process: a node id of its own, and the newest document,
 * so that no older one is ever taken. It is one file for each channel and folder, which only its
 * owner can read. Each change is on the disk before the follower acts on it.
 */
export class FollowerState {
	readonly #path: string;
	#kept: Kept;
	#chain: KeyChain | undefined;
	#newest: ChannelDocument | undefined;

	private constructor(path: string, state: Kept) {
		this.#path = path;
		this.#kept = state;
		this.#chain =
			state.keys === undefined ? undefined : KeyChain.parse(bytesOf(state.keys), verifyNatively);
		this.#newest =
			state.newest === undefined ? undefined : ChannelDocument.parse(bytesOf(state.newest));
	}

	/**
	 * Reads the state of a follower, or begins a new one.
	 *
	 * @throws ShoalError ERR_CHANNEL if the state is damaged, ERR_PERMISSION, ERR_NO_SPACE, ERR_IO, ERR_FOLDER
	 */
	static open({ data, channel, folder }: FollowerStateOptions): FollowerState {
		const home = join(data ?? join(stateHome(), 'shoal'), 'follow');
		const digest = createHash('sha256').update(`${channel}\n${folder}\n`).digest('hex');
		const path = join(home, `${digest.slice(0, 32)}.json`);
		try {
			ensureFolder(home, 0o700);
		} catch (error) {
			throw fsError(error, home);
		}
		const text = readIfThereSync(path);
		if (text !== undefined) {
			return FollowerState.#parse(path, text);
		}
		const about = { channel, folder, node: makeNodeId(), secret: nanoid() };
		const state = new FollowerState(path, { version: VERSION, ...about });
		state.#write();
		return state;
	}

	/** @throws ShoalError ERR_CHANNEL */
	static #parse(path: string, text: string): FollowerState {
		try {
			return new FollowerState(path, v.parse(kept, JSON.parse(text)));
		} catch (cause) {
			throw new ShoalError(
				'ERR_CHANNEL',
				`${quoted(path, 300)}, the state of this follower, is damaged; remove it only if you trust the newest document on the broker, because without the state an older version can be taken`,
				{ cause },
			);
		}
	}

	/** Node id. */
	get node(): string {
		return this.#kept.node;
	}

	/** The secret of the node id. */
	get secret(): string {
		return this.#kept.secret;
	}

	/** The newest keys that were known. */
	get chain(): KeyChain | undefined {
		return this.#chain;
	}

	/** The newest document that was known. */
	get newest(): ChannelDocument | undefined {
		return this.#newest;
	}

	/** The outcome of the last version whose command has ended. */
	get done(): Done | undefined {
		return this.#kept.done;
	}

	/** Stores the newest keys. @throws ShoalError ERR_NO_SPACE, ERR_PERMISSION, ERR_IO */
	keepKeys(chain: KeyChain): void {
		this.#kept = { ...this.#kept, keys: textOf(chain.text) };
		this.#write();
		this.#chain = chain;
	}

	/** Stores the newest document. @throws as {@link keepKeys} */
	keepNewest(document: ChannelDocument): void {
		this.#kept = { ...this.#kept, newest: textOf(document.text) };
		this.#write();
		this.#newest = document;
	}

	/** Stores the newest keys and document, unless they are stored already. @returns why it has failed */
	tryKeep({ chain, newest }: Pick<ChannelView, 'chain' | 'newest'>): ShoalError | undefined {
		try {
			if (chain !== undefined && chain !== this.#chain) {
				this.keepKeys(chain);
			}
			if (newest !== undefined && newest.digest !== this.#newest?.digest) {
				this.keepNewest(newest);
			}
			return undefined;
		} catch (error) {
			return error as ShoalError;
		}
	}

	/** Stores the outcome of a version. @throws as {@link keepKeys} */
	keepDone(done: Done): void {
		this.#kept = { ...this.#kept, done };
		this.#write();
	}

	#write(): void {
		try {
			writePrivate(this.#path, `${JSON.stringify(this.#kept)}\n`);
		} catch (error) {
			throw fsError(error, this.#path);
		}
	}
}

function bytesOf(text: string): Uint8Array {
	return Buffer.from(text);
}

function textOf(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString();
}
