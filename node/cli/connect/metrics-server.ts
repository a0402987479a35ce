import { HttpServer, monitoring } from '../../../broker/index.ts';
import type { ListenAt } from '../../lanes/listen.ts';
import { NodeMetrics } from '../../node-metrics.ts';
import type { ShoalNode } from '../../shoal-node.ts';
import type { TraceSink } from '../../stats/trace.ts';
import type { Output } from '../terminal/output.ts';

/** The HTTP server for metrics and health checks of a node; it runs until the process ends. */
export class MetricsServer {
	readonly #metrics: NodeMetrics;
	#node: ShoalNode | undefined;

	private constructor(metrics: NodeMetrics) {
		this.#metrics = metrics;
	}

	/**
	 * Opens the server. Called before the node starts, so that the command fails at once if the port
	 * is taken.
	 *
	 * @throws ShoalError ERR_PORT
	 */
	static async open({ host, port }: ListenAt, output: Output): Promise<MetricsServer> {
		const metrics = await NodeMetrics.open();
		const server = new MetricsServer(metrics);
		const route = monitoring({
			metrics: async () => metrics.registry,
			missing: () => missingOf(server.#node),
		});
		const { url } = await HttpServer.start({
			...{ host, port, portFlag: '--metrics', routes: [route] },
			onWarning: (error) => output.warn(error),
		});
		output.event({ event: 'metrics', url: `${url}/metrics` });
		output.line(output.style('dim', `metrics at ${url}/metrics`));
		return server;
	}

	/** The sink for the trace of the node. */
	get trace(): TraceSink {
		return this.#metrics.trace;
	}

	/** Reports on `node` from now on. */
	watch(node: ShoalNode): void {
		this.#node = node;
		this.#metrics.watch(node);
	}
}

function missingOf(node: ShoalNode | undefined): string[] {
	const { isConnected = false, hasTracker = false } = node?.stats() ?? {};
	return [
		...(isConnected ? [] : ['there is no connection to the broker']),
		...(hasTracker ? [] : ['no tracker is ready']),
	];
}
