import { ShoalError } from '../../../protocol/index.ts';

// The tabs of one browser share the files of an origin: the tab that has a content holds its lock.

/** ms to wait for the lock of a content, as a tab that is being closed or reloaded may hold it. */
const HANDOVER = 1_000;
const has = (id: string): string => `shoal ${id}`;
const changes = (id: string): string => `shoal changes ${id}`;

/** The message for a content that another tab has. */
export const ELSEWHERE = 'another tab of this browser has this download; it can be saved there';

/** Takes the lock of a content for this tab. @returns a function that releases it @throws ShoalError ERR_EXISTS */
export async function occupy(id: string): Promise<() => void> {
	const signal = AbortSignal.timeout(HANDOVER);
	try {
		return await new Promise((resolve, reject) => {
			const hold = (): Promise<void> => new Promise((leave) => resolve(leave));
			navigator.locks.request(has(id), { signal }, hold).catch(reject);
		});
	} catch {
		throw new ShoalError('ERR_EXISTS', ELSEWHERE);
	}
}

/** Runs `work` on a content, unless another tab has it. @returns its outcome */
export async function unlessElsewhere<T>(
	id: string,
	work: () => Promise<T>,
): Promise<T | undefined> {
	const leave = await occupy(id).catch(() => undefined);
	try {
		return leave && (await work());
	} finally {
		leave?.();
	}
}

/**
 * Resolves when no tab has a content, and no tab is about to remove it or to record that it was
 * stopped.
 *
 * @throws the reason of `signal`
 */
export async function whenFree(id: string, signal: AbortSignal): Promise<void> {
	await navigator.locks.request(has(id), { signal }, () => {});
	await navigator.locks.request(changes(id), { signal }, () => {});
}

/** Runs `work` on a content: {@link whenFree} in another tab resolves only afterwards. */
export async function whileChanging(id: string, work: () => Promise<void>): Promise<void> {
	await navigator.locks.request(changes(id), work);
}
