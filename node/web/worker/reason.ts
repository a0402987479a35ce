import { ShoalError } from '../../../protocol/index.ts';

/** The text of an error, for people. */
export function reasonOf(error: unknown): string {
	if (error instanceof ShoalError) {
		return error.message;
	}
	// Each browser has words of its own for a script that cannot be loaded.
	return error instanceof TypeError && /import|module/i.test(error.message)
		? 'a script of this page is missing: load the page again, as its broker may be another version by now'
		: String(error);
}
