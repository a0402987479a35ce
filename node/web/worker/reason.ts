import { ShoalError } from '../../../protocol/index.ts';

/** The text of an error, for people. */
export function reasonOf(error: unknown): string {
	return error instanceof ShoalError ? error.message : String(error);
}
