import type { ServerResponse } from 'node:http';

/**
 * Calls `stop` when a response is complete or its client has left; at once if that is so already: the
 * client may leave while a name is looked up.
 */
export function whenOver(response: ServerResponse, stop: () => void): void {
	if (response.destroyed) {
		stop();
	} else {
		response.once('close', stop);
	}
}
