import { useEffect, useState } from 'preact/hooks';
import type { LocalFolder } from '../local-folder.ts';
import { readDropped } from './dropped.ts';
import { readFolder } from './read-folder.ts';
import type { PageState } from './worker-client.ts';

/** The last drop, as far as the page has to say something about it. */
export type DropState =
	| { readonly state: 'nothing' }
	/** A folder is being read; `entries` is the number of entries so far. */
	| { readonly state: 'reading'; readonly name: string; readonly entries: number };

/** Called with what is dropped. */
export interface DropHandlers {
	readonly onFile: (file: File) => void;
	readonly onFolder: (folder: LocalFolder) => void;
}

/**
 * Calls `handlers` with each file and folder that is dropped anywhere on the page. Otherwise the
 * browser would leave the page to show the file, and end all downloads and shares of the page.
 *
 * @param handlers undefined: nothing may be shared
 * @returns what is to be said of the last drop, until it is cleared, and a function that clears it
 */
export function useDrops(
	handlers: DropHandlers | undefined,
): readonly [drop: DropState | undefined, clear: () => void] {
	const [dropped, setDropped] = useState<DropState>();
	useEffect(() => {
		// Whether a link or a picture of this page itself is dragged.
		let isOwn = false;
		const start = (): void => {
			isOwn = true;
		};
		const end = (): void => {
			isOwn = false;
		};
		const over = (event: DragEvent): void => {
			if (!isTextForField(event)) {
				event.preventDefault();
			}
		};
		const drop = (event: DragEvent): void => {
			if (isTextForField(event)) {
				return;
			}
			event.preventDefault();
			if (handlers === undefined || isOwn || event.dataTransfer === null) {
				return;
			}
			const { files, folders } = readDropped(event.dataTransfer);
			for (const file of files) {
				handlers.onFile(file);
			}
			setDropped(files.length + folders.length === 0 ? { state: 'nothing' } : undefined);
			void shareFolders(folders, handlers.onFolder, setDropped);
			location.hash = 'files';
		};
		addEventListener('dragstart', start);
		addEventListener('dragend', end);
		addEventListener('dragover', over);
		addEventListener('drop', drop);
		return () => {
			removeEventListener('dragstart', start);
			removeEventListener('dragend', end);
			removeEventListener('dragover', over);
			removeEventListener('drop', drop);
		};
	}, [handlers === undefined]);
	return [dropped, () => setDropped(undefined)];
}

/** Reads one folder after the other, and shares each. */
async function shareFolders(
	folders: readonly FileSystemDirectoryEntry[],
	onFolder: DropHandlers['onFolder'],
	tell: (drop: DropState | undefined) => void,
): Promise<void> {
	for (const folder of folders) {
		const { name } = folder;
		tell({ state: 'reading', name, entries: 0 });
		onFolder(await readFolder(folder, (entries) => tell({ state: 'reading', name, entries })));
		tell(undefined);
	}
}

/** Whether the browser handles the drag itself: text that is dropped into a field. */
function isTextForField({ target, dataTransfer }: DragEvent): boolean {
	const isField = target instanceof HTMLInputElement && target.type !== 'file';
	return isField && dataTransfer?.types.includes('Files') === false;
}

/** Makes the browser ask before it leaves the page, if that would lose something. */
export function useAskBeforeLeaving({ transfers, keeps }: PageState): void {
	const wouldLose = transfers.some(
		({ state, isShare }) => state !== 'failed' && state !== 'complete' && (isShare || !keeps),
	);
	useEffect(() => {
		if (!wouldLose) {
			return undefined;
		}
		const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
		addEventListener('beforeunload', ask);
		return () => removeEventListener('beforeunload', ask);
	}, [wouldLose]);
}

/**
 * ms for which a page that is about to be frozen lets its worker run: otherwise the worker would be
 * frozen before it reads its last message.
 */
const LAST_TURN = 50;

/**
 * Calls `onLeave` when the user leaves the page. `mayReturn` is true if the browser may keep the
 * page frozen, so that the user can go back to it.
 */
export function useLeaving(onLeave: (mayReturn: boolean) => void): void {
	useEffect(() => {
		const leave = ({ persisted }: PageTransitionEvent): void => {
			onLeave(persisted);
			const end = performance.now() + (persisted ? LAST_TURN : 0);
			while (performance.now() < end) {
				// A busy loop is the only way to delay the page here.
			}
		};
		addEventListener('pagehide', leave);
		return () => removeEventListener('pagehide', leave);
	}, []);
}
