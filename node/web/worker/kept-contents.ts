import { Bitfield, checkedLayout } from '../../../protocol/index.ts';
import { unlessElsewhere } from './content-locks.ts';
import { openFolder, openSync, readAll, type SyncAccessHandle } from './opfs-files.ts';

/** A content, complete or not, that the browser keeps in a file. */
export interface Kept {
	/** Seed id. */
	readonly id: string;
	/** Name of the file or folder. */
	readonly name: string;
	/** Bytes of the whole content, or of the chunks of the wanted files. */
	readonly length: number;
	/** Whether it is a folder. */
	readonly isFolder: boolean;
	/** The paths of the wanted files, if only some files of a folder are wanted. */
	readonly paths?: readonly string[] | undefined;
	/** Approximate number of bytes that are stored, from the record of chunks. */
	readonly have: number;
	/** Whether its download was stopped, and so does not resume by itself. */
	readonly isStopped: boolean;
}

/** The description stored beside the bytes of a content and the record of its chunks. */
export interface About {
	readonly id: string;
	readonly name: string;
	/** Bytes of the whole content. */
	readonly length: number;
	readonly chunks?: number;
	readonly isFolder?: boolean;
	/** As in {@link Kept}. */
	readonly paths?: readonly string[];
	/** Bytes of the chunks that have bytes of the files at `paths`. */
	readonly wanted?: number;
	readonly isStopped?: boolean;
}

/**
 * The downloads, complete or not, that the browser keeps in files, also those of earlier visits. In
 * workers only. Removes what a {@link forget} has left that ended with its page.
 */
export async function keptContents(): Promise<Kept[]> {
	const folder = await openFolder();
	const names = new Set<string>();
	for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) {
		names.add(name);
	}
	const kept: Kept[] = [];
	for (const id of new Set([...names].map((name) => name.replace(/\.(json|have)$/, '')))) {
		if (names.has(`${id}.json`)) {
			const each = await keptContent(id);
			kept.push(...(each === undefined ? [] : [each]));
		} else {
			forget(id).catch(() => {});
		}
	}
	return kept;
}

/** The stored part of one content; undefined if nothing is stored. @throws ShoalError ERR_IO */
export async function keptContent(id: string): Promise<Kept | undefined> {
	// A description that was half written when the browser ended cannot be read. The chunks stay, for a
	// download of the same content.
	const about = await readAbout(id);
	if (about === undefined) {
		return undefined;
	}
	const { name, length, chunks = 0, isFolder = false, paths, isStopped = false } = about;
	const bits = new Bitfield(chunks);
	const record = await readAll(`${id}.have`);
	if (record?.length === bits.toBytes().length) {
		bits.addBytes(0, record);
	}
	const stored = chunks === 0 ? 0 : bits.count * checkedLayout(length, chunks).chunkSize;
	const wanted = about.wanted ?? length;
	const have = Math.min(stored, wanted);
	return { id, name, length: wanted, isFolder, paths, have, isStopped };
}

/**
 * Records that a download was stopped, so that it does not resume by itself after a reload.
 *
 * @returns what is stored of the content; undefined if nothing is
 */
export async function keepStopped(id: string): Promise<Kept | undefined> {
	const about = await readAbout(id);
	if (about !== undefined) {
		const file = await openSync(await (await openFolder()).getFileHandle(`${id}.json`));
		writeAbout(file, { ...about, isStopped: true });
		file.close();
	}
	return await keptContent(id);
}

/**
 * Removes the files of a content, if there are any. If they are in use, also by another tab, they
 * stay, and {@link keptContents} still lists the content.
 */
export async function forget(id: string): Promise<void> {
	await unlessElsewhere(id, () => removeFiles(id));
}

/**
 * Removes the files of a content. The description is the first: without it, {@link keptContents} removes the other files.
 */
export async function removeFiles(id: string): Promise<void> {
	const folder = await openFolder();
	for (const name of [`${id}.json`, id, `${id}.have`]) {
		try {
			await folder.removeEntry(name);
		} catch (error) {
			if ((error as DOMException).name !== 'NotFoundError') {
				return;
			}
		}
	}
}

/** Replaces the description in a file. */
export function writeAbout(file: SyncAccessHandle, about: About): void {
	file.truncate(0);
	file.write(new TextEncoder().encode(JSON.stringify(about)), { at: 0 });
}

async function readAbout(id: string): Promise<About | undefined> {
	const text = await readAll(`${id}.json`);
	try {
		return JSON.parse(new TextDecoder().decode(text)) as About;
	} catch {
		return undefined;
	}
}
