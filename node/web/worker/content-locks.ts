import { ShoalError } from '../../../protocol/index.ts';

// The tabs of one browser share the files of an origin: who has a content holds its lock.

/** ms that a tab which is just being closed, or loaded again, has to give a content free. */
const HANDOVER = 1_000;
const has = (id: string): string => `shoal ${id}`;
const changes = (id: string): string => `shoal changes ${id}`;

/** The text for a content that another tab has. */
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

/**
 * Resolves when no tab has a content, nor is about to remove it or to write down that it was stopped.
 *
 * @throws what `signal` is aborted with
 */
export async function whenFree(id: string, signal: AbortSignal): Promise<void> {
	await navigator.locks.request(has(id), { signal }, () => {});
	await navigator.locks.request(changes(id), { signal }, () => {});
}

/** Does `work` on a content before another tab looks what became of it. */
export async function whileChanging(id: string, work: () => Promise<void>): Promise<void> {
	await navigator.locks.request(changes(id), work);
}
