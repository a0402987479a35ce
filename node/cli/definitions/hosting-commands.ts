import type { Command } from 'commander';
import {
	ABOUT_CERT,
	ABOUT_LIMIT,
	ABOUT_LOG_LEVEL,
	ABOUT_NO_NODE_NAME,
	ABOUT_TRACKED_BROKER,
	BROKER,
	CERT,
	LIMIT,
	LOG_LEVEL,
	NODE_NAME,
} from '../shared-flags.ts';
import { add, collect, start } from './define.ts';

/** The commands that run a broker or a tracker, and that join one. */
export function addHosting(program: Command): void {
	add(program, 'broker', 'run the broker and the tracker')
		.option(
			'--host <address>',
			'address to listen on (default: 127.0.0.1, or with --lan all addresses)',
		)
		.option('--port <port>', 'port to listen on, 0 for any that is free', '1883')
		.option(
			'--lan',
			'let other machines in: listen on all addresses, unless --host names one; clients need the token',
		)
		.option(
			'--advertise <host>',
			'the address at which others reach the broker, if it is not an address of this machine: HOST or HOST:PORT (default: SHOAL_ADVERTISE); can be repeated',
			collect,
		)
		.option('--data <folder>', 'the folder for tokens, keys and the audit log')
		.option(
			'--tls',
			'speak TLS with a certificate that the broker makes; the join link contains its fingerprint (--lan implies --tls)',
		)
		.option('--no-tls', 'with --lan: do not encrypt anything, not even the tokens')
		.option('--tls-cert <file>', 'speak TLS with this certificate, PEM')
		.option('--tls-key <file>', 'the private key of the certificate, PEM')
		.option(
			'--http <port>',
			'port of the web page, which also serves files by HTTP (default: 8080, or any free port if 8080 is in use)',
		)
		.option('--no-http', 'serve no web page, and nothing else by HTTP')
		.option(
			'--http-name <name>',
			'a host name allowed in requests to the page, beside IP addresses, localhost, the name of this machine and the hosts of --advertise; can be repeated',
			collect,
		)
		.option(
			'--http-origin <origin>',
			'an origin whose pages may be nodes of this broker, such as https://lab.example; can be repeated',
			collect,
		)
		.option(NODE_NAME, 'the name of the node that serves files by HTTP, as others see it')
		.option('--no-node-name', ABOUT_NO_NODE_NAME)
		.option('--no-mdns', 'do not announce this broker on the LAN')
		.option('--insecure-anonymous', 'accept every client that reaches the port, without a token')
		.option(LIMIT, ABOUT_LIMIT, collect)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((options) =>
			start(
				options,
				async () => (await import('../commands/broker.ts')).brokerCommand(options),
				true,
			),
		);
	add(program, 'token', 'print the join links of the broker on this machine')
		.argument('[renew]', 'make new tokens; the old ones are not valid any more')
		.option('--data <folder>', "the broker's folder, if it was started with --data")
		.action((what, options) =>
			start(options, async () =>
				(await import('../commands/token.ts')).tokenCommand(what, options),
			),
		);
	add(
		program,
		'join',
		'join a broker by its link and remember it; without a link: print which broker is used',
	)
		.argument('[link]', 'the join link that the broker printed, in quotes')
		.action((link, options) =>
			start(options, async () => (await import('../commands/join.ts')).joinCommand(link)),
		);
	add(program, 'leave', 'forget the broker that was joined').action((options) =>
		start(options, async () => (await import('../commands/join.ts')).leaveCommand()),
	);
	add(program, 'tracker', 'run only the tracker, on a broker that runs already')
		.option(BROKER, ABOUT_TRACKED_BROKER, collect)
		.option(CERT, ABOUT_CERT, collect)
		.option(LIMIT, ABOUT_LIMIT, collect)
		.option(LOG_LEVEL, ABOUT_LOG_LEVEL)
		.action((options) =>
			start(
				options,
				async () => (await import('../commands/tracker.ts')).trackerCommand(options),
				true,
			),
		);
}
