import { isBusy, isShoalError, ShoalError } from '../../protocol/index.ts';

/**
 * The error for a failed dial of `node` at `addresses`, if a program has answered there; undefined
 * if there was no answer, or if the node answered that it has no room.
 */
export function wrongPeer(
	node: string,
	addresses: readonly string[],
	error: unknown,
): ShoalError | undefined {
	const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
	const [answer] = errors.filter(isAnswer);
	if (answer === undefined) {
		return undefined;
	}
	return noLane(`to node ${node} at ${addresses.join(', ')}`, whyNot(answer), error);
}

/** A lane to `node` was opened, and nothing has come on it. */
export function silentPeer(node: string): ShoalError {
	const why =
		'the connection was accepted, but nothing came on it: the computer of the node sleeps, its network was cut, or another program has its address now';
	return noLane(`to node ${node}`, why, undefined);
}

function noLane(where: string, why: string, cause: unknown): ShoalError {
	const text = `no direct lane ${where}: ${why}. It is reached through the broker, and looked for again later`;
	return new ShoalError('ERR_REFUSED', text, { cause });
}

function isAnswer(error: unknown): error is ShoalError {
	const { cause } = error as { cause?: { code?: unknown; syscall?: unknown } };
	// A reset means that a peer was there; other system errors, and silence, mean that there was none.
	const isNobody = cause?.syscall !== undefined && cause.code !== 'ECONNRESET';
	return isShoalError(error) && !isNobody && !isShoalError(cause, 'ERR_TIMEOUT') && !isBusy(error);
}

function whyNot({ code, cause }: ShoalError): string {
	if (code === 'ERR_REFUSED') {
		return 'the program that listens there does not take the ticket: the node or the tracker was restarted or slept a moment ago, or another node has that address now';
	}
	if (isShoalError(cause, 'ERR_BROKER')) {
		// Of whoever dials by fingerprint: what is shown there is another.
		return 'another certificate is shown there than the node has told: it was started anew a moment ago, or another machine has that address now';
	}
	return 'the program that answers there ends the connection: the node is being stopped, or another program has that address now';
}
