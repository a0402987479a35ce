import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder, writePrivate } from '../../broker/for-nodes.ts';
import {
	ChannelDocument,
	checkChannelName,
	compareDocuments,
	KeyChain,
	type NewKeys,
	quoted,
	ShoalError,
	type Sign,
	verifyNatively,
} from '../../protocol/index.ts';
import { LockFile } from '../download/target/lock-file.ts';
import { fsError, onFile } from '../storage/fs-error.ts';
import { stateHome } from '../storage/home-folder.ts';
import { readIfThere } from '../storage/read-if-there.ts';
import { SigningKey } from './signing-key.ts';

/** A channel that this user can publish. */
export interface OwnChannel {
	/** The name of the channel. */
	readonly name: string;
	readonly chain: KeyChain;
	/** Signs documents with the publishing key. */
	readonly sign: Sign;
	/** The newest document that was published here, or is known from the network. */
	readonly latest: ChannelDocument | undefined;
}

/**
 * The channels that a user publishes: a folder with these files for each, which only their owner can
 * read. `<name>.key` is the publishing key and `<name>.drawer` the drawer key (PEM), `<name>.keys` has
 * the key blocks, and `<name>.latest` the newest document.
 */
export class ChannelStore {
	/** The folder with the files. */
	readonly folder: string;

	/** @param data the folder for state. @default that of this user */
	constructor(data: string = join(stateHome(), 'shoal')) {
		this.folder = join(data, 'channels');
	}

	/** The names of the channels, sorted. @throws ShoalError ERR_PERMISSION, ERR_IO */
	async names(): Promise<string[]> {
		try {
			const files = await readdir(this.folder);
			return files.flatMap((file) => (file.endsWith('.key') ? [file.slice(0, -4)] : [])).sort();
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
				return [];
			}
			throw fsError(error, this.folder);
		}
	}

	/**
	 * The channel `name`; undefined if there is none.
	 *
	 * @throws ShoalError ERR_NAME, ERR_CHANNEL if a file is damaged or the key is not that of the
	 *   last block, ERR_PERMISSION, ERR_IO
	 */
	async find(name: string): Promise<OwnChannel | undefined> {
		const paths = this.#paths(name);
		const pem = await readIfThere(paths.key);
		const text = await readIfThere(paths.keys);
		if (pem === undefined && text === undefined) {
			return undefined;
		}
		if (pem === undefined || text === undefined) {
			const [gone, which] = pem === undefined ? [paths.key, quoted(name)] : [paths.keys, 'LINK'];
			throw new ShoalError(
				'ERR_CHANNEL',
				`${quoted(gone, 300)} is missing; put it back from a backup, or rotate the keys with the drawer key: shoal channel rotate ${which} --drawer FILE`,
			);
		}
		const key = parseKey(pem, paths.key);
		const chain = parseKeys(text, paths.keys);
		if (!isSame(chain.blocks.at(-1)?.publish, key.public)) {
			throw new ShoalError(
				'ERR_CHANNEL',
				`${quoted(paths.key, 300)} is not the publishing key of the last block in ${quoted(paths.keys, 300)}; if the keys were rotated on another machine, publish there`,
			);
		}
		return { name, chain, sign: key.sign, latest: await this.#latest(paths.latest, chain) };
	}

	/**
	 * Makes the keys of a new channel.
	 *
	 * @returns the channel, and the path of its drawer key
	 * @throws ShoalError ERR_NAME, ERR_EXISTS, ERR_PERMISSION, ERR_IO
	 */
	async create(name: string): Promise<OwnChannel & { readonly drawer: string }> {
		const paths = this.#paths(name);
		await onFile(this.folder, () => ensureFolder(this.folder, 0o700));
		// It may be the only drawer key of a channel whose other files are lost, so it is not replaced.
		await refuseExisting(
			paths.drawer,
			`is there, but the other keys of the channel ${quoted(name)} are not. If it was published before, make new keys with this one: shoal channel rotate LINK --drawer FILE. If not, the channel was not made completely: move the file away, and publish again`,
		);
		const [publish, drawer] = [SigningKey.make(), SigningKey.make()];
		const chain = KeyChain.begin(newKeys(publish, drawer), verifyNatively);
		try {
			write(paths.drawer, drawer.pem);
			write(paths.keys, chain.text);
			write(paths.key, publish.pem);
		} catch (error) {
			// Nothing was published with these keys, and a part of them would refuse the next attempt.
			for (const path of [paths.key, paths.keys, paths.drawer]) {
				await rm(path, { force: true }).catch(() => {});
			}
			throw error;
		}
		return { name, chain, sign: publish.sign, latest: undefined, drawer: paths.drawer };
	}

	/**
	 * The key blocks of the channel `name`, also if its publishing key is lost; undefined if there are
	 * none.
	 *
	 * @throws ShoalError ERR_NAME, ERR_CHANNEL, ERR_PERMISSION, ERR_IO
	 */
	async keys(name: string): Promise<KeyChain | undefined> {
		const path = this.#paths(name).keys;
		const text = await readIfThere(path);
		return text && parseKeys(text, path);
	}

	/**
	 * Stores the key blocks of a channel whose files are lost, or lack the newest blocks, so that its
	 * keys can be rotated.
	 *
	 * @throws ShoalError ERR_EXISTS if there is another channel with this name, ERR_NAME, ERR_CHANNEL if
	 *   the blocks here and `chain` contradict each other, ERR_PERMISSION, ERR_IO
	 */
	async adopt(name: string, chain: KeyChain): Promise<void> {
		const path = this.#paths(name).keys;
		const known = await this.keys(name);
		if (known === undefined || chain.extends(known)) {
			write(path, chain.text);
		} else if (known.channel !== chain.channel) {
			throw new ShoalError(
				'ERR_EXISTS',
				`${quoted(path, 300)} has the keys of another channel; choose another folder with --data`,
			);
		} else if (!known.extends(chain)) {
			throw new ShoalError(
				'ERR_CHANNEL',
				`${quoted(path, 300)} has other key blocks than the broker: the keys were rotated twice, on two machines. If those on the broker are right, move the files ${quoted(`${name}.*`)} of that folder away, and rotate with the newest drawer key: shoal channel rotate LINK --drawer FILE`,
			);
		}
	}

	/**
	 * Replaces both keys of a channel. The publishing key may be lost; the key blocks must be here.
	 *
	 * @param drawerFile path of the drawer key of the last block
	 * @returns the channel with its new keys, and the path of the new drawer key
	 * @throws ShoalError ERR_NOT_FOUND, ERR_CHANNEL if the file is not that drawer key, ERR_LIMIT,
	 *   ERR_EXISTS, ERR_NO_FILE, ERR_PERMISSION, ERR_IO
	 */
	async rotate(
		name: string,
		drawerFile: string,
	): Promise<OwnChannel & { readonly drawer: string }> {
		const paths = this.#paths(name);
		const text = await readIfThere(paths.keys);
		if (text === undefined) {
			throw noChannel(name, this.folder);
		}
		const before = parseKeys(text, paths.keys);
		const old = parseKey(await onFile(drawerFile, () => readFile(drawerFile)), drawerFile);
		const block = before.blocks.findLastIndex(({ drawer }) => isSame(drawer, old.public));
		if (block !== before.last) {
			const why =
				block < 0 ? '' : `: it is that of key block ${block}, and the newest is ${before.last}`;
			throw new ShoalError(
				'ERR_CHANNEL',
				`${quoted(drawerFile, 300)} is not the drawer key of the channel ${quoted(name)}${why}`,
			);
		}
		const [publish, drawer] = [SigningKey.make(), SigningKey.make()];
		const chain = before.rotate(newKeys(publish, drawer), old.sign, verifyNatively);
		const drawerPath = join(this.folder, `${name}.drawer-${chain.last}`);
		await refuseExisting(
			drawerPath,
			`is there, but the key block ${chain.last} that belongs to it is not: a rotation was interrupted. Move the file to a safe place, and rotate again`,
		);
		const latest = await this.#latest(paths.latest, before);
		// The new drawer key is written first: without it, the channel could not be rotated again.
		write(drawerPath, drawer.pem);
		write(paths.keys, chain.text);
		write(paths.key, publish.pem);
		return { name, chain, sign: publish.sign, latest, drawer: drawerPath };
	}

	/**
	 * Runs `work` while no other process of this user changes the channel.
	 *
	 * @throws ShoalError ERR_PERMISSION, ERR_IO, ERR_ABORTED, and what `work` throws
	 */
	async locked<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
		await onFile(this.folder, () => ensureFolder(this.folder, 0o700));
		const purpose = createHash('sha256').update(name).digest('hex');
		const lock = await LockFile.take(this.#paths(name).lock, purpose, () => undefined, { signal });
		try {
			return await work();
		} finally {
			await lock.release();
		}
	}

	/** Stores the newest document of a channel. @throws ShoalError ERR_PERMISSION, ERR_IO, ERR_NO_SPACE */
	keep(name: string, document: ChannelDocument): void {
		write(this.#paths(name).latest, document.text);
	}

	/** The folder for copies of the versions of a channel. */
	versionsOf(name: string): string {
		return join(this.folder, `${checkChannelName(name)}.versions`);
	}

	async #latest(path: string, chain: KeyChain): Promise<ChannelDocument | undefined> {
		const text = await readIfThere(path);
		if (text === undefined) {
			return undefined;
		}
		const document = parseFile(
			() => ChannelDocument.parse(text),
			`${quoted(path, 300)} is damaged; remove it if the newest document is on the network`,
		);
		if (!document.isSigned(chain, verifyNatively)) {
			throw new ShoalError(
				'ERR_CHANNEL',
				`${quoted(path, 300)} is not signed by the keys of its channel; remove it if the newest document is on the network`,
			);
		}
		return document;
	}

	#paths(name: string) {
		const base = join(this.folder, checkChannelName(name));
		return {
			key: `${base}.key`,
			keys: `${base}.keys`,
			latest: `${base}.latest`,
			drawer: `${base}.drawer`,
			lock: `${base}.lock`,
		};
	}
}

/** The newer of two documents; undefined if there is none. */
export function newerOf(
	a: ChannelDocument | undefined,
	b: ChannelDocument | undefined,
): ChannelDocument | undefined {
	return a === undefined || (b !== undefined && compareDocuments(b, a) > 0) ? b : a;
}

/** The error of a name that no channel of this user has. */
export function noChannel(name: string, folder: string): ShoalError {
	return new ShoalError(
		'ERR_NOT_FOUND',
		`there is no channel ${quoted(name)} in ${quoted(folder, 300)}; shoal channel ls lists those that there are`,
	);
}

function newKeys(publish: SigningKey, drawer: SigningKey): NewKeys {
	return {
		publish: publish.public,
		drawer: drawer.public,
		signPublish: publish.sign,
		signDrawer: drawer.sign,
	};
}

/** @throws ShoalError ERR_CHANNEL */
function parseKeys(text: Uint8Array, path: string): KeyChain {
	return parseFile(
		() => KeyChain.parse(text, verifyNatively),
		`${quoted(path, 300)} is damaged; put it back from a backup, or remove it and rotate the keys with the drawer key: shoal channel rotate LINK --drawer FILE`,
	);
}

/** @throws ShoalError ERR_CHANNEL */
function parseKey(pem: Uint8Array, path: string): SigningKey {
	return parseFile(
		() => SigningKey.parse(Buffer.from(pem).toString()),
		`${quoted(path, 300)} is no Ed25519 private key in PEM; use the file that shoal publish or shoal channel rotate wrote`,
	);
}

/** @throws ShoalError ERR_CHANNEL with `message`, which names the file */
function parseFile<T>(parse: () => T, message: string): T {
	try {
		return parse();
	} catch (cause) {
		throw new ShoalError('ERR_CHANNEL', message, { cause });
	}
}

/** @param why the rest of the message @throws ShoalError ERR_EXISTS if there is a file */
async function refuseExisting(path: string, why: string): Promise<void> {
	const isThere = await stat(path).then(
		() => true,
		() => false,
	);
	if (isThere) {
		throw new ShoalError('ERR_EXISTS', `${quoted(path, 300)} ${why}`);
	}
}

function write(path: string, text: string | Uint8Array): void {
	try {
		writePrivate(path, typeof text === 'string' ? text : Buffer.from(text).toString());
	} catch (error) {
		throw fsError(error, path);
	}
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
	return a !== undefined && Buffer.from(a).equals(b);
}
