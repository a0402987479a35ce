import type { Broker, Route, Tracker } from '../../../broker/index.ts';
import { plainAddress, quoted } from '../../../protocol/index.ts';
import type { Output } from '../terminal/output.ts';

/** The maximum number of characters that are logged of a text from a client. */
const MOST = 128;

/**
 * Logs the clients that connect to a broker, disconnect or are refused, and events of its tracker.
 */
export function logBroker(output: Output, broker: Broker): void {
	for (const what of ['joined', 'left'] as const) {
		broker.on(what, ({ id, address, role }) => {
			const who = role === 'watch' ? 'a watcher' : 'a client';
			const text = `${who} has ${what}: ${id} of ${address}`;
			output.log('info', `client-${what}`, text, { id, address, role });
		});
	}
	broker.on('refused', ({ reason, address, ...rest }) => {
		const [id, about] = [rest.id.slice(0, MOST), rest.about.slice(0, MOST)];
		const text = `refused to ${quoted(id)} of ${address}: ${about}: ${reason}`;
		output.log('info', 'refused', text, { id, address, about, reason });
	});
	if (broker.tracker !== undefined) {
		logTracker(output, broker.tracker);
	}
}

/** Logs the events of a tracker about nodes, seeds and downloads. */
export function logTracker(output: Output, tracker: Tracker): void {
	tracker.on('event', (event) => {
		if (event.event !== 'load') {
			const { event: name, ...about } = event;
			const { node, seed } = about;
			const file = 'name' in about && about.name !== undefined ? quoted(about.name) : undefined;
			const parts = [node, seed, file].filter((part) => part !== undefined);
			output.log('info', name, `${name.replaceAll('-', ' ')}: ${parts.join(' ')}`, about);
		}
	});
}

/** Wraps `route`: logs each request that it handles, when the response is closed. */
export function loggedRoute(output: Output, route: Route): Route {
	return async (visit) => {
		const { request, response, path } = visit;
		const { socket } = request;
		const { remoteAddress = '', bytesWritten: before } = socket;
		const address = plainAddress(remoteAddress);
		const startedAt = performance.now();
		let isOurs = true;
		response.once('close', () => {
			if (isOurs) {
				const ms = Math.round(performance.now() - startedAt);
				const bytes = socket.bytesWritten - before;
				const what = `${request.method} ${path.slice(0, MOST)}`;
				const { statusCode: status } = response;
				const text = `${what} for ${address}: ${status}, ${bytes} bytes in ${ms} ms`;
				output.log('info', 'request', text, { request: what, address, status, bytes, ms });
			}
		});
		isOurs = await route(visit);
		return isOurs;
	};
}
