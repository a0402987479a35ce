import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry as MetricsRegistry } from 'prom-client';
import type { Broker } from './broker.ts';
import { brokerMetrics } from './metrics.ts';

/** Answers a request, or leaves it to others. @returns whether it was its own */
export type Route = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** What {@link monitoring} tells. */
export interface Monitored {
	/** Called for the first request that wants them. */
	readonly metrics: () => Promise<MetricsRegistry>;
	/** What is not as it must be to be of use, one sentence each; empty: all is well. */
	readonly missing: () => readonly string[];
	/** Whether somebody at `address` may read metrics with `token`, which is empty if there is none. */
	readonly mayRead: (token: string, address: string) => Promise<boolean>;
}

/**
 * `/metrics` for Prometheus; `/healthz`, 200 as long as the process answers; `/readyz`, 503 with what is
 * missing until all is there. Health says nothing about anybody and needs no token. Who may ask at all, by which
 * name, is for the server to check.
 */
export function monitoring({ metrics, missing, mayRead }: Monitored): Route {
	let registry: Promise<MetricsRegistry> | undefined;
	const tellMetrics: Answer = async (request, response) => {
		if (!(await mayRead(tokenOf(request), request.socket.remoteAddress ?? ''))) {
			response.setHeader('WWW-Authenticate', 'Bearer, Basic realm="shoal"');
			tell(response, 401, { title: 'A token of the broker is needed', status: 401 });
			return;
		}
		registry ??= metrics();
		const { contentType } = await registry;
		response.setHeader('Content-Type', contentType);
		response.end(await (await registry).metrics());
	};
	const answers: Readonly<Record<string, Answer>> = {
		'/metrics': tellMetrics,
		'/healthz': async (_, response) => tell(response, 200, { status: 'ok' }),
		'/readyz': async (_, response) => {
			const lacking = missing();
			const isReady = lacking.length === 0;
			const status = isReady ? 'ready' : 'not ready';
			tell(response, isReady ? 200 : 503, { status, missing: lacking });
		},
	};
	return async (request, response) => {
		const [path = ''] = (request.url ?? '').split('?');
		const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
		if (answer === undefined) {
			return false;
		}
		response.setHeader('Cache-Control', 'no-store');
		response.setHeader('X-Content-Type-Options', 'nosniff');
		if (request.method === 'GET' || request.method === 'HEAD') {
			await answer(request, response);
		} else {
			response.setHeader('Allow', 'GET, HEAD');
			tell(response, 405, { title: 'There is GET and HEAD', status: 405 });
		}
		return true;
	};
}

/** {@link monitoring} of a broker. Its metrics are for those whom it lets in, also only to watch. */
export function brokerMonitoring(broker: Broker): Route {
	return monitoring({
		metrics: () => brokerMetrics(broker),
		missing: () => [
			...(broker.isListening ? [] : ['it does not listen']),
			...(broker.tracker?.isReady === false ? ['the tracker is not ready'] : []),
		],
		mayRead: async (token, address) => (await broker.admit(token, address)) !== undefined,
	});
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The token of `Authorization: Bearer`, or the password of `Authorization: Basic`, whatever the user. */
function tokenOf({ headers }: IncomingMessage): string {
	const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(headers.authorization ?? '') ?? [];
	if (scheme.toLowerCase() !== 'basic') {
		return scheme.toLowerCase() === 'bearer' ? value : '';
	}
	const pair = Buffer.from(value, 'base64').toString();
	return pair.slice(pair.indexOf(':') + 1);
}

function tell(response: ServerResponse, status: number, body: object): void {
	const isProblem = 'title' in body;
	response.setHeader('Content-Type', `application/${isProblem ? 'problem+' : ''}json`);
	response.writeHead(status).end(`${JSON.stringify(body)}\n`);
}
