import { type ErrorCode, isShoalError } from '../../protocol/index.ts';

/** An error as HTTP tells it (RFC 9457). */
export interface Problem {
	readonly status: number;
	readonly title: string;
	readonly detail: string;
	readonly code: string;
}

const STATUS: Partial<Record<ErrorCode, readonly [status: number, title: string]>> = {
	ERR_ID: [400, 'No id of a seed'],
	ERR_NOT_FOUND: [404, 'Nobody has it'],
	ERR_RANGE: [416, 'No such bytes'],
	ERR_WRONG_BYTES: [502, 'What came was wrong'],
	ERR_SEED_LIES: [502, 'The seed is wrong'],
	ERR_NO_TRACKER: [503, 'No tracker'],
	ERR_BROKER: [503, 'No broker'],
	ERR_DISCONNECTED: [503, 'No broker'],
	ERR_TIMEOUT: [504, 'No answer in time'],
	ERR_NO_SPACE: [507, 'No room'],
};

/** What an error means to whoever asked by HTTP. What nobody foresaw is not told. */
export function problemOf(error: unknown): Problem {
	if (!isShoalError(error)) {
		const title = 'Something unexpected happened';
		return { status: 500, title, detail: title, code: 'ERR_INTERNAL' };
	}
	const [status, title] = STATUS[error.code] ?? [500, 'It failed'];
	return { status, title, detail: error.message, code: error.code };
}
