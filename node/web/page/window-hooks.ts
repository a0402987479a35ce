import { useEffect } from 'preact/hooks';
import type { PageState } from './worker-client.ts';

/**
 * Files that are dropped anywhere go to `onFile`. A browser would leave the page for them otherwise, and with it
 * all that it gets and shares.
 */
export function useDrops(onFile: ((file: File) => void) | undefined): void {
	useEffect(() => {
		const over = (event: DragEvent): void => event.preventDefault();
		const drop = (event: DragEvent): void => {
			event.preventDefault();
			const files = event.dataTransfer?.files ?? [];
			for (const file of onFile === undefined ? [] : files) {
				onFile?.(file);
				location.hash = 'files';
			}
		};
		addEventListener('dragover', over);
		addEventListener('drop', drop);
		return () => {
			removeEventListener('dragover', over);
			removeEventListener('drop', drop);
		};
	}, [onFile === undefined]);
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
