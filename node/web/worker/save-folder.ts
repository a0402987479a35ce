import { safeFileName } from '../../../protocol/index.ts';
import { zipName } from '../../util/zip-name.ts';
import type { Saving, WorkerCommand } from '../messages.ts';
import type { DownloadedFolder } from './downloaded-folder.ts';
import { reasonOf } from './reason.ts';
import { unpackFolder } from './unpack-folder.ts';
import { zipFolder } from './zip-folder.ts';

/** ms between two reports of the progress. */
const TELL_EVERY = 250;

/** Called while a folder is saved. */
export interface SaveEvents {
	readonly changed: (saving: Saving) => void;
	/** An archive is ready, which the browser has to save. */
	readonly file: (name: string, blob: Blob) => void;
}

/** Saves a folder as a zip archive, or as a folder of the machine. Failures are reported as a change. */
export async function saveFolder(
	name: string,
	folder: DownloadedFolder,
	command: Extract<WorkerCommand, { do: 'zip' | 'unpack' }>,
	{ changed, file }: SaveEvents,
): Promise<void> {
	let bytes = 0;
	const count = (more: number): void => {
		bytes += more;
	};
	changed({ state: 'running', bytes });
	const timer = setInterval(() => changed({ state: 'running', bytes }), TELL_EVERY);
	try {
		const safe = safeFileName(name);
		let saved: string;
		if (command.do === 'unpack') {
			saved = await unpackFolder(folder, command.into, safe, count);
		} else {
			const zip = (await zipFolder(folder, safe)).pipeThrough(counting(count));
			saved = command.into?.name ?? zipName(name);
			await (command.into === undefined
				? new Response(zip).blob().then((blob) => file(saved, blob))
				: zip.pipeTo(await command.into.createWritable()));
		}
		const links = folder.entries.filter(({ kind }) => kind === 'l').length;
		changed({ state: 'done', name: saved, links });
	} catch (error) {
		changed({ state: 'failed', reason: reasonOf(error) });
	} finally {
		clearInterval(timer);
	}
}

function counting(count: (bytes: number) => void): TransformStream<Uint8Array, Uint8Array> {
	return new TransformStream({
		transform(bytes, controller) {
			count(bytes.length);
			controller.enqueue(bytes);
		},
	});
}
