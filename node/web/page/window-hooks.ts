import { useEffect, useState } from 'preact/hooks';
import { type Dropped, readDropped } from './dropped.ts';
import type { PageState } from './worker-client.ts';

/**
 * Calls `onFile` with each file that is dropped anywhere on the page. Otherwise the browser would
 * leave the page to show the file, and end all downloads and shares of the page.
 *
 * @param onFile undefined: nothing may be shared
 * @returns the last drop, until it is cleared, and a function that clears it
 */
export function useDrops(
	onFile: ((file: File) => void) | undefined,
): readonly [dropped: Dropped | undefined, clear: () => void] {
	const [dropped, setDropped] = useState<Dropped>();
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
			if (onFile === undefined || isOwn || event.dataTransfer === null) {
				return;
			}
			const now = readDropped(event.dataTransfer);
			for (const file of now.files) {
				onFile(file);
			}
			setDropped(now);
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
	}, [onFile === undefined]);
	return [dropped, () => setDropped(undefined)];
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
