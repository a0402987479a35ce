import { useEffect, useState } from 'preact/hooks';
import { type Dropped, readDropped } from './dropped.ts';
import type { PageState } from './worker-client.ts';

/**
 * Files that are dropped anywhere on the page go to `onFile`. A browser would leave the page for them otherwise, and with
 * it all that it gets and shares.
 *
 * @param onFile undefined: nothing may be shared
 * @returns what was dropped last, until it is cleared
 */
export function useDrops(
	onFile: ((file: File) => void) | undefined,
): readonly [dropped: Dropped | undefined, clear: () => void] {
	const [dropped, setDropped] = useState<Dropped>();
	useEffect(() => {
		// A link or a picture of this page that is moved a little.
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

/** Whether what is dragged belongs to the browser: text that goes into a field. */
function isTextForField({ target, dataTransfer }: DragEvent): boolean {
	const isField = target instanceof HTMLInputElement && target.type !== 'file';
	return isField && dataTransfer?.types.includes('Files') === false;
}

/** Has the browser ask before it leaves the page while something would be lost. */
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

/** ms for which a page that is about to be frozen lets its worker run: it would be frozen with what it was sent unread. */
const LAST_TURN = 50;

/**
 * Calls `onLeave` when the page is left, with whether the browser keeps it frozen, so that somebody may go back to it.
 */
export function useLeaving(onLeave: (mayReturn: boolean) => void): void {
	useEffect(() => {
		const leave = ({ persisted }: PageTransitionEvent): void => {
			onLeave(persisted);
			const end = performance.now() + (persisted ? LAST_TURN : 0);
			while (performance.now() < end) {
				// Nothing else holds a page back here.
			}
		};
		addEventListener('pagehide', leave);
		return () => removeEventListener('pagehide', leave);
	}, []);
}
