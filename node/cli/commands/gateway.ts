import { HttpServer } from '../../../broker/index.ts';
import { isLoopback, ShoalError } from '../../../protocol/index.ts';
import { gatewayRoute } from '../../gateway/gateway.ts';
import { loggedRoute } from '../broker/service-log.ts';
import type { Command } from '../command.ts';
import { closeNode, type NodeFlags, nodeOptions, startNode } from '../connect/connect.ts';
import { EXIT } from '../exit-codes.ts';

/** Arguments and flags of `shoal gateway`. */
export interface GatewayFlags extends NodeFlags {
	readonly host?: string | undefined;
	readonly port?: string | undefined;
	readonly name?: readonly string[] | undefined;
}

/** `shoal gateway`: serves the files of the swarm by HTTP, until it is stopped. */
export function gatewayCommand(flags: GatewayFlags): Command {
	return async (context) => {
		const { output, interrupts } = context;
		const port = Number(flags.port ?? '8080');
		if (!/^\d+$/.test(flags.port ?? '8080') || port > 65_535) {
			throw new ShoalError('ERR_USAGE', '--port must be a number from 0 to 65535');
		}
		await output.openLog(flags.logLevel);
		const node = await startNode(context, nodeOptions(flags));
		try {
			const { host, name: names } = flags;
			const onWarning = (error: unknown): void => output.warn(error);
			const routes = [
				loggedRoute(
					output,
					gatewayRoute(async () => node),
				),
			];
			const gateway = await HttpServer.start({ host, port, names, routes, onWarning });
			output.event({ event: 'listening', url: gateway.url, broker: node.broker });
			if (host !== undefined && !isLoopback(host)) {
				output.warn(
					new ShoalError(
						'ERR_INSECURE',
						`everybody who reaches ${gateway.url} gets every file of the swarm, without a token and not encrypted; leave --host out to keep it to this machine`,
					),
				);
			}
			output.line(`files of the swarm at ${output.style('bold', gateway.url)}`);
			output.line(output.style('dim', `next: curl ${gateway.url}/seeds`));
			interrupts.lastExit = EXIT.done;
			await interrupts.stopped();
			await gateway.close();
			output.event({ event: 'stopped' });
			output.line('stopped');
			return EXIT.done;
		} finally {
			await closeNode(node);
		}
	};
}
