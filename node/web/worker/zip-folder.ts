import { isFile } from '../../../protocol/index.ts';
import type { DownloadedFolder } from './downloaded-folder.ts';

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
	return makeZip(inputsOf(folder, name), { buffersAreUTF8: true });
}

function* inputsOf(folder: DownloadedFolder, top: string) {
	if (folder.entries.length === 0) {
		yield { name: `${top}/` };
	}
	for (const entry of folder.entries) {
		const { path, kind, length } = entry;
		const name = `${top}/${path}`;
		if (kind === 'd') {
			yield { name: `${name}/` };
		} else if (isFile(entry)) {
			const mode = kind === 'x' ? 0o755 : 0o644;
			yield { name, input: folder.file(path), size: length, mode };
		}
	}
}
