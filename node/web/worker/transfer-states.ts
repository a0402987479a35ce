import { printable } from '../../../protocol/index.ts';
import type { Progress } from '../../download/download-types.ts';
import { zipName } from '../../util/zip-name.ts';
import type { OwnTransfer } from '../messages.ts';
import type { BrowserDownload } from './browser-node.ts';
import type { Item } from './own-transfers.ts';

/** The changes of a transfer at the progress of its download. */
export function progressOf({ phase, name, length, ...progress }: Progress): Partial<OwnTransfer> {
	const { have, rate, sources, files, filesDone, waitsFor } = progress;
	const about = name === undefined ? {} : { name: printable(name), length };
	const folder = files === undefined ? {} : { isFolder: true, files, filesDone };
	return { ...about, ...folder, state: phase, have, rate, sources, waitsFor };
}

/** The changes of a transfer when its download is complete. */
export function completeOf(got: BrowserDownload): Partial<OwnTransfer> {
	const { seed, ms, files, isPartial, folder } = got;
	// If only some files are wanted, their own bytes are shown, not those of their chunks.
	const bytes = folder?.entries.reduce((sum, entry) => sum + entry.length, 0) ?? 0;
	const length = isPartial ? bytes : got.length;
	return {
		...{ name: printable(seed.name), length, have: length, files, filesDone: files, ms },
		...({ state: 'complete', rate: 0, canSave: true, reason: undefined } as const),
		...(folder && { isFolder: true, archive: zipName(seed.name) }),
	};
}

/** Whether a download has failed or was stopped. */
export function isOver({ transfer: { state } }: Item): boolean {
	return state === 'failed' || state === 'stopped';
}
