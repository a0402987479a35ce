import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import * as assert from 'uvu/assert';

const run = promisify(execFile);

/** An entry of a zip file. */
export interface Zipped {
	readonly name: string;
	readonly bytes: Buffer;
	/** Permissions and kind, as in `stat`. */
	readonly mode: number;
	readonly isUtf8: boolean;
}

/** Reads a zip file without compression, with or without Zip64 records. */
export function readZip(zip: Buffer): Zipped[] {
	const end = zip.length - 22;
	assert.is(zip.readUInt32LE(end), 0x0605_4b50, 'the end record');
	let count = zip.readUInt16LE(end + 10);
	let offset = zip.readUInt32LE(end + 16);
	if (count === 0xffff || offset === 0xffff_ffff) {
		assert.is(zip.readUInt32LE(end - 20), 0x0706_4b50, 'the locator');
		const end64 = Number(zip.readBigUInt64LE(end - 12));
		assert.is(zip.readUInt32LE(end64), 0x0606_4b50, 'the Zip64 end record');
		assert.is(end64 + 12 + Number(zip.readBigUInt64LE(end64 + 4)), end - 20);
		count = Number(zip.readBigUInt64LE(end64 + 32));
		offset = Number(zip.readBigUInt64LE(end64 + 48));
		assert.is(offset + Number(zip.readBigUInt64LE(end64 + 40)), end64);
	}
	const entries: Zipped[] = [];
	for (let at = offset; entries.length < count; ) {
		assert.is(zip.readUInt32LE(at), 0x0201_4b50, 'a record of the directory');
		const [nameBytes, extra] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30)];
		const name = zip.subarray(at + 46, at + 46 + nameBytes).toString();
		const start = zip.readUInt32LE(at + 42) + 30 + nameBytes;
		const bytes = zip.subarray(start, start + zip.readUInt32LE(at + 24));
		assert.is(zip.readUInt32LE(at + 16), crc32(bytes), name);
		const isUtf8 = (zip.readUInt16LE(at + 8) & 0x800) !== 0;
		entries.push({ name, bytes, mode: zip.readUInt16LE(at + 40), isUtf8 });
		at += 46 + nameBytes + extra;
	}
	return entries;
}

/**
 * Programs that read zip files, each with the arguments that check a file, and the output for a
 * good file.
 */
const PROGRAMS: ReadonlyArray<readonly [program: string, args: readonly string[], says: RegExp]> = [
	['unzip', ['-tq'], /No errors/],
	['python3', ['-m', 'zipfile', '-t'], /Done testing/],
	['jar', ['tf'], /./],
];

/**
 * Checks a zip file with the programs of this machine that read zip files.
 *
 * @returns the programs that are installed
 */
export async function checkZip(path: string): Promise<string[]> {
	const here: string[] = [];
	for (const [program, args, says] of PROGRAMS) {
		try {
			const { stdout } = await run(program, [...args, path], { maxBuffer: 64 * 1024 * 1024 });
			assert.match(stdout, says, program);
			here.push(program);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
				throw error;
			}
		}
	}
	return here;
}
