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

/** The error for a lane to `node` that was opened, and on which nothing has arrived. */
export function silentPeer(node: string): ShoalError {
	const why =
		'the connection was accepted, but nothing arrived on it: the computer of the node is asleep, its network was cut, or another program now has its address';
	return noLane(`to node ${node}`, why, undefined);
}

function noLane(where: string, why: string, cause: unknown): ShoalError {
	const text = `no direct lane ${where}: ${why}. The node is reached through the broker, and dialled again later`;
	return new ShoalError('ERR_REFUSED', text, { cause });
}

function isAnswer(error: unknown): error is ShoalError {
	const { cause } = error as { cause?: { code?: unknown; syscall?: unknown } };
	// A reset means that a program was there; other system errors, and silence, mean that none was.
	const isNobody = cause?.syscall !== undefined && cause.code !== 'ECONNRESET';
	return isShoalError(error) && !isNobody && !isShoalError(cause, 'ERR_TIMEOUT') && !isBusy(error);
}

function whyNot({ code, cause }: ShoalError): string {
	if (code === 'ERR_REFUSED') {
		return 'the program that listens there rejects the ticket: the node or the tracker was restarted or asleep a moment ago, or another node now has that address';
	}
	if (isShoalError(cause, 'ERR_BROKER')) {
		// The certificate does not have the fingerprint that the dial expects.
		return 'the certificate there is not the one that the node has announced: the node was restarted a moment ago, or another machine now has that address';
	}
	return 'the program that answers there closes the connection: the node is being stopped, or another program now has that address';
}
