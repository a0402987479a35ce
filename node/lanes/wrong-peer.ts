import { isBusy, isShoalError, ShoalError } from '../../protocol/index.ts';

/**
 * What it means that `node` was not to be dialled at `addresses`, where somebody has answered; undefined if nobody has, or
 * the node is there and has no room.
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
		'what is there lets us in and says nothing: its computer sleeps or its network was cut, or another program is at its address now';
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
		return 'who listens there does not take the ticket: the node or the tracker was started anew or slept a moment ago, or another node has that address now';
	}
	if (isShoalError(cause, 'ERR_BROKER')) {
		// Of whoever dials by fingerprint: what is shown there is another.
		return 'another certificate is shown there than the node has told: it was started anew a moment ago, or another machine has that address now';
	}
	return 'who answers there ends the connection: the node is being stopped, or another program has that address now';
}
