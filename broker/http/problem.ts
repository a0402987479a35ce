import type { ServerResponse } from 'node:http';
import { type ErrorCode, isShoalError, printableJson } from '../../protocol/index.ts';

/** The description of an error in HTTP (RFC 9457). */
export interface Problem {
	readonly status: number;
	readonly title: string;
	readonly detail: string;
	readonly code: string;
}

const STATUS: Partial<Record<ErrorCode, readonly [status: number, title: string]>> = {
	ERR_ID: [400, 'Not a seed id'],
	ERR_NOT_FOUND: [404, 'No node has it'],
	ERR_AMBIGUOUS: [409, 'Several seeds of that name'],
	ERR_RANGE: [416, 'No such bytes'],
	ERR_WRONG_BYTES: [502, 'Wrong bytes received'],
	ERR_SEED: [502, 'The seed is wrong'],
	ERR_SEED_LIES: [502, 'The seed is wrong'],
	ERR_NO_TRACKER: [503, 'No tracker'],
	ERR_BROKER: [503, 'No broker'],
	ERR_DISCONNECTED: [503, 'No broker'],
	ERR_TIMEOUT: [504, 'No answer in time'],
	ERR_NO_SPACE: [507, 'No space left'],
};

/** The HTTP problem that stands for an error. Unexpected errors are reported as 500 without details. */
export function problemOf(error: unknown): Problem {
	if (!isShoalError(error)) {
		const title = 'Something unexpected happened';
		return { status: 500, title, detail: title, code: 'ERR_INTERNAL' };
	}
	const [status, title] = STATUS[error.code] ?? [500, 'The request failed'];
	return { status, title, detail: error.message, code: error.code };
}

/** Answers with an error as `application/problem+json`. */
export function tellProblem(response: ServerResponse, problem: Problem): void {
	if (problem.status === 405) {
		response.setHeader('Allow', 'GET, HEAD');
	}
	if (problem.status === 401) {
		// With this header a browser asks its user for a password; curl takes one with -u.
		response.setHeader(
			'WWW-Authenticate',
			'Basic realm="shoal: the token as password", charset="UTF-8"',
		);
	}
	// The validators and the lifetime set for the content do not apply to the problem.
	response.removeHeader('ETag');
	response.removeHeader('Cache-Control');
	response.setHeader('Content-Type', 'application/problem+json');
	response.writeHead(problem.status).end(`${printableJson(problem)}\n`);
}

/** Answers with `body` as JSON. */
export function tellJson(response: ServerResponse, body: unknown, status = 200): void {
	response.setHeader('Content-Type', 'application/json');
	response.writeHead(status).end(`${printableJson(body)}\n`);
}
