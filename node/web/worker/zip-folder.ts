import { isFile } from '../../../protocol/index.ts';
import { missingZip64Records } from '../../util/zip-end.ts';
import type { DownloadedFile, DownloadedFolder } from './downloaded-folder.ts';

/**
 * A zip archive of a folder, stored without compression. Its entries are below a folder `name`.
 * Links are left out, as many programs that unpack an archive would make files of them.
 *
 * @param name a safe file name
 */
export async function zipFolder(
	folder: DownloadedFolder,
	name: string,
): Promise<ReadableStream<Uint8Array>> {
	const { makeZip } = await import('client-zip');
	const count = Math.max(1, folder.entries.filter(({ kind }) => kind !== 'l').length);
	const archive = makeZip(inputsOf(folder, name), { buffersAreUTF8: true });
	return archive.pipeThrough(withZip64Records(count));
}

/** Adds the Zip64 records that client-zip leaves out at the end of an archive of many entries. */
function withZip64Records(entries: number): TransformStream<Uint8Array, Uint8Array> {
	let last: Uint8Array | undefined;
	return new TransformStream({
		transform: (chunk, controller) => {
			if (last !== undefined) {
				controller.enqueue(last);
			}
			last = chunk;
		},
		flush: (controller) => {
			const end = last ?? new Uint8Array();
			const records = missingZip64Records(end, entries);
			if (records !== undefined) {
				controller.enqueue(records);
			}
			controller.enqueue(end);
		},
	});
}

async function* inputsOf(folder: DownloadedFolder, top: string) {
	if (folder.entries.every(({ kind }) => kind === 'l')) {
		yield { name: `${top}/` };
	}
	const files = folder.files();
	for (const entry of folder.entries) {
		const { path, kind, length: size } = entry;
		const name = `${top}/${path}`;
		if (kind === 'd') {
			yield { name: `${name}/` };
		} else if (isFile(entry)) {
			const { content: input } = (await files.next()).value as DownloadedFile;
			yield { name, input, size, mode: kind === 'x' ? 0o755 : 0o644 };
		}
	}
}
