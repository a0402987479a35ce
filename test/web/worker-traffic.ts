import type { Worker } from 'playwright-core';

/** The parts of a worker inside Playwright that {@link stopReports} needs. */
interface Inner {
	readonly existingExecutionContext: {
		readonly delegate: { readonly _client: { send(method: string): Promise<unknown> } };
	};
}

type WithInner = Worker & {
	readonly _connection: { toImpl(worker: Worker): Inner };
};

/** Runs in the worker: reports each request to another host as an error in the console. */
const WATCH = `(() => {
	const { host } = new URL(self.origin);
	const check = (url) => {
		const { protocol, host: asked } = new URL(url);
		if (protocol !== 'blob:' && protocol !== 'data:' && asked !== host) {
			console.error('request: ' + url);
		}
	};
	new PerformanceObserver((list) => list.getEntries().forEach(({ name }) => check(name)))
		.observe({ type: 'resource', buffered: true });
	addEventListener('securitypolicyviolation', ({ blockedURI }) => {
		console.error('blocked: ' + blockedURI);
	});
})()`;

/**
 * Stops the reports of the browser about the network of a worker: they contain a copy of each message
 * of a WebSocket, which takes more time than the transfer itself. Playwright has no option for it.
 * Instead, the worker itself reports its requests to other hosts as errors in the console.
 */
export async function stopReports(worker: Worker): Promise<void> {
	await worker.evaluate(WATCH);
	const inner = (worker as WithInner)._connection.toImpl(worker);
	await inner.existingExecutionContext.delegate._client.send('Network.disable');
}
