import { ShoalError } from '../../../protocol/index.ts';

/** An error for people. */
export function reasonOf(error: unknown): string {
	return error instanceof ShoalError ? error.message : String(error);
}
