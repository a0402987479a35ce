import type { Registry as MetricsRegistry } from 'prom-client';
import { brokerMetrics, type MeteredBroker } from '../metrics/broker-metrics.ts';
import { type HttpExchange, needsToken, type Route } from './http-server.ts';
import { tellJson } from './problem.ts';

/** Sources of {@link monitoring}. */
export interface Monitored {
	/** Makes the registry of the metrics; called at the first request. */
	readonly metrics: () => Promise<MetricsRegistry>;
	/** The reasons why the process is not ready, one sentence each; empty: it is ready. */
	readonly missing: () => readonly string[];
}

type Answer = (exchange: HttpExchange) => void | Promise<void>;

/**
 * The route for three paths. `/metrics` is for Prometheus, and needs a token if the broker requires
 * one. `/healthz` answers with 200 as long as the process runs. `/readyz` answers with 503 and the
 * reasons until the process is ready. The last two need no token.
 */
export function monitoring({ metrics, missing }: Monitored): Route {
	let registry: Promise<MetricsRegistry> | undefined;
	const answers: ReadonlyMap<string, Answer> = new Map([
		[
			'/metrics',
			async (exchange) => {
				if (!needsToken(exchange, 'watch')) {
					registry ??= metrics();
					const { response } = exchange;
					response.setHeader('Content-Type', (await registry).contentType);
					response.end(await (await registry).metrics());
				}
			},
		],
		['/healthz', ({ response }) => tellJson(response, { status: 'ok' })],
		[
			'/readyz',
			({ response }) => {
				const lacking = missing();
				const isReady = lacking.length === 0;
				const status = isReady ? 'ready' : 'not ready';
				tellJson(response, { status, missing: lacking }, isReady ? 200 : 503);
			},
		],
	] satisfies ReadonlyArray<readonly [string, Answer]>);
	return async (exchange) => {
		const answer = answers.get(exchange.path);
		if (answer === undefined) {
			return false;
		}
		exchange.response.setHeader('Cache-Control', 'no-store');
		await answer(exchange);
		return true;
	};
}

/** The part of a broker that is monitored. */
export interface MonitoredBroker extends MeteredBroker {
	readonly isListening: boolean;
}

/** The route of {@link monitoring} for a broker. */
export function brokerMonitoring(broker: MonitoredBroker): Route {
	return monitoring({
		metrics: () => brokerMetrics(broker),
		missing: () => [
			...(broker.isListening ? [] : ['the broker does not listen']),
			...(broker.tracker?.isReady === false ? ['the tracker is not ready'] : []),
		],
	});
}
