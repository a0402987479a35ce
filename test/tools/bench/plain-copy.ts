import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TimedWrites } from '../../../node/storage/timed-writes.ts';

// The work that everything is compared with: one process that reads, hashes and writes a file or
// folder.

const [from = '', to = ''] = process.argv.slice(2);
const block = Buffer.allocUnsafe(1_048_576);

function copyFile(source: string, target: string): void {
	const [reading, writing] = [openSync(source, 'r'), openSync(target, 'wx')];
	const hash = createHash('sha256');
	const writes = new TimedWrites();
	let at = 0;
	for (let read = readSync(reading, block); read > 0; read = readSync(reading, block)) {
		const bytes = block.subarray(0, read);
		hash.update(bytes);
		writes.write(writing, at, [bytes]);
		at += read;
	}
	closeSync(reading);
	closeSync(writing);
	console.log(hash.digest('hex'));
}

function copy(source: string, target: string): void {
	if (!statSync(source).isDirectory()) {
		copyFile(source, target);
		return;
	}
	mkdirSync(target);
	for (const name of readdirSync(source)) {
		copy(join(source, name), join(target, name));
	}
}

copy(from, to);
