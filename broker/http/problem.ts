import type { ServerResponse } from 'node:http';
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
	ERR_AMBIGUOUS: [409, 'Several of that name'],
	ERR_RANGE: [416, 'No such bytes'],
	ERR_WRONG_BYTES: [502, 'What came was wrong'],
	ERR_SEED_LIES: [502, 'The seed is wrong'],
	ERR_NO_TRACKER: [503, 'No tracker'],
	ERR_BROKER: [503, 'No broker'],
	ERR_DISCONNECTED: [503, 'No broker'],
	ERR_TIMEOUT: [504, 'No answer in time'],
	ERR_NO_SPACE: [507, 'No room'],
};

/** The HTTP problem that stands for an error. Unexpected errors are reported as 500 without details. */
export function problemOf(error: unknown): Problem {
	if (!isShoalError(error)) {
		const title = 'Something unexpected happened';
		return { status: 500, title, detail: title, code: 'ERR_INTERNAL' };
	}
	const [status, title] = STATUS[error.code] ?? [500, 'It failed'];
	return { status, title, detail: error.message, code: error.code };
}

/** Answers with an error as `application/problem+json`. */
export function tellProblem(response: ServerResponse, problem: Problem): void {
	if (problem.status === 405) {
		response.setHeader('Allow', 'GET, HEAD');
	}
	if (problem.status === 401) {
		// A browser asks for a password then; curl takes one with -u.
		response.setHeader(
			'WWW-Authenticate',
			'Basic realm="shoal: the token as password", charset="UTF-8"',
		);
	}
	// The validators and the lifetime set for the content do not apply to the problem.
	response.removeHeader('ETag');
	response.removeHeader('Cache-Control');
	response.setHeader('Content-Type', 'application/problem+json');
	response.writeHead(problem.status).end(`${JSON.stringify(problem)}\n`);
}

/** Answers with `body` as JSON. */
export function tellJson(response: ServerResponse, body: unknown, status = 200): void {
	response.setHeader('Content-Type', 'application/json');
	response.writeHead(status).end(`${JSON.stringify(body)}\n`);
}
