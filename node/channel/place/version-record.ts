import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nanoid } from 'nanoid';
import { parseSeed } from '../../../protocol/index.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { onFile, syncFolder } from '../../storage/fs-error.ts';
import { magicLine } from '../../storage/magic-line.ts';
import { readIfThere } from '../../storage/read-if-there.ts';
import type { Version } from './place.ts';
import { type VersionContent, versionContent } from './version-content.ts';

/** A version, and the places of its entries: the followed folder, or the staging folder. */
export interface VersionRecord extends VersionContent {
	readonly version: Version;
	/**
	 * The stamps of the entries that are right in the followed folder, or that were right when a
	 * switch began.
	 */
	readonly stamps: EntryStamps;
	/** While a switch runs: the stamps of the staged entries. */
	readonly staged?: EntryStamps | undefined;
	/** While a switch runs: the path of the folder with the staged entries, below the own folder. */
	readonly stagedAt?: string | undefined;
	/** Paths of what people had changed or added and that was kept. */
	readonly kept: readonly string[];
}

/** The line of JSON before the text of the seed, the index and the stamps. */
interface Head {
	readonly block: number;
	readonly seq: number;
	readonly seed: string;
	/** Bytes of the text of the seed. */
	readonly text: number;
	/** Bytes of the index; 0 if the version is a file. */
	readonly index: number;
	/** Bytes of the stamps. */
	readonly stamps: number;
	readonly stagedAt?: string;
	readonly kept: readonly string[];
}

const MAGIC = 'shoal version 1';
const LF = 0x0a;

/**
 * Writes a record so that after a loss of power the file has either this record or the one before.
 *
 * @throws ShoalError ERR_NO_SPACE, ERR_PERMISSION, ERR_IO
 */
export async function writeRecord(path: string, record: VersionRecord): Promise<void> {
	const { version, seed, stamps, staged, stagedAt, kept } = record;
	const text = seed.text();
	const index = record.folder === undefined ? new Uint8Array() : record.index;
	const stampBytes = bytesOf(stamps);
	const head: Head = {
		block: version.block,
		seq: version.seq,
		seed: seed.id,
		text: text.length,
		index: index.length,
		stamps: stampBytes.length,
		...(stagedAt !== undefined && { stagedAt }),
		kept,
	};
	const more = staged === undefined ? [] : [bytesOf(staged)];
	const body = [Buffer.from(`${JSON.stringify(head)}\n`), text, index, stampBytes, ...more];
	await writeSynced(path, [Buffer.from(`${magicLine(MAGIC, ...body)}\n`), ...body]);
}

/**
 * Reads a record. Undefined if there is none, or if it is damaged.
 *
 * @throws ShoalError ERR_PERMISSION, ERR_IO, ERR_FOLDER if it cannot be read: without the record, all
 *   files would count as changed by people
 */
export async function readRecord(path: string): Promise<VersionRecord | undefined> {
	const all = await readIfThere(path);
	if (all === undefined) {
		return undefined;
	}
	try {
		const body = all.subarray(all.indexOf(LF) + 1);
		if (all.subarray(0, all.indexOf(LF)).toString() !== magicLine(MAGIC, body)) {
			return undefined;
		}
		const end = body.indexOf(LF);
		const head = JSON.parse(body.subarray(0, end).toString()) as Head;
		let at = end + 1;
		const next = (length: number): Uint8Array => {
			at += length;
			return Uint8Array.from(body.subarray(at - length, at));
		};
		const seed = parseSeed(next(head.text));
		const index = next(head.index);
		const content = versionContent(seed, seed.index === undefined ? undefined : index);
		const { block, seq, stagedAt, kept } = head;
		const version = { block, seq, seed: seed.id };
		const stamps = stampsOf(next(head.stamps));
		const staged = at < body.length ? stampsOf(next(head.stamps)) : undefined;
		return { ...content, version, stamps, staged, stagedAt, kept };
	} catch {
		return undefined;
	}
}

/**
 * Replaces the file at `path`, and syncs it and its folder.
 *
 * @throws ShoalError the errors of the file system
 */
export async function writeSynced(path: string, parts: readonly Uint8Array[]): Promise<void> {
	const temporary = `${path}.${nanoid()}.tmp`;
	try {
		await onFile(path, async () => {
			const file = await open(temporary, 'wx', 0o600);
			try {
				await file.writeFile(Buffer.concat(parts));
				await file.sync();
			} finally {
				await file.close();
			}
			await rename(temporary, path);
		});
	} catch (error) {
		await rm(temporary, { force: true }).catch(() => {});
		throw error;
	}
	await syncFolder(dirname(path));
}

function bytesOf({ numbers }: EntryStamps): Uint8Array {
	return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function stampsOf(bytes: Uint8Array): EntryStamps {
	return new EntryStamps(new BigUint64Array(Uint8Array.from(bytes).buffer));
}
