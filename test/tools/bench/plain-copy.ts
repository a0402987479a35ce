import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

// What everything is compared with: read, hash, write, in one process, with nothing in between.

const [from = '', to = ''] = process.argv.slice(2);
const [source, copy] = [openSync(from, 'r'), openSync(to, 'wx')];
const hash = createHash('sha256');
const block = Buffer.allocUnsafe(1_048_576);
for (let read = readSync(source, block); read > 0; read = readSync(source, block)) {
	const bytes = block.subarray(0, read);
	hash.update(bytes);
	writeSync(copy, bytes);
}
closeSync(copy);
console.log(hash.digest('hex'));
