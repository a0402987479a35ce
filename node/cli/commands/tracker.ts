import { Tracker } from '../../../broker/index.ts';
import { printableUrl } from '../../../protocol/index.ts';
import { logTracker } from '../broker/service-log.ts';
import type { Command } from '../command.ts';
import { chooseBroker } from '../connect/choose-broker.ts';
import { asBroker, clientOptions } from '../connect/connect.ts';
import { EXIT } from '../exit-codes.ts';
import { parseLimits } from '../parse/limits.ts';
import { countOf } from '../terminal/units.ts';

/** Arguments and flags of `shoal tracker`. */
export interface TrackerFlags {
	readonly broker?: string | undefined;
	readonly cert?: string | undefined;
	readonly limit?: readonly string[] | undefined;
	/** The least severe level that is logged. */
	readonly logLevel?: string | undefined;
}

const LIVE_EVERY = 500;

/** `shoal tracker`: runs only the tracker, on a broker that runs already. */
export function trackerCommand(flags: TrackerFlags): Command {
	return async ({ output, interrupts }) => {
		await output.openLog(flags.logLevel);
		const url = chooseBroker(flags.broker);
		const shown = printableUrl(url);
		const limits = parseLimits(flags.limit ?? []);
		const starting = Tracker.start({ url, limits, ...clientOptions(url, flags.cert) });
		const tracker = await interrupts.race(asBroker(starting, url));
		const printState = (event: 'ready' | 'standby', text: string): void => {
			output.event({ event, tracker: tracker.id, broker: shown });
			output.line(text);
		};
		const ready = `the tracker is ready on ${shown}`;
		const standby = `another tracker is ready on ${shown}; this one stands by, and takes over when the other is lost`;
		tracker.on('ready', () => printState('ready', ready));
		tracker.on('standby', () => printState('standby', standby));
		tracker.on('warning', (error) => output.warn(error));
		logTracker(output, tracker);
		tracker.on('down', () => {
			output.event({ event: 'offline', broker: shown });
			output.line('connection to the broker lost, trying again');
		});
		tracker.isActive ? printState('ready', ready) : printState('standby', standby);
		const timer = setInterval(() => {
			const { nodes, seeds, announces } = tracker.stats();
			const parts = [countOf(nodes, 'node'), countOf(seeds, 'seed')];
			output.live([...parts, countOf(announces, 'announce')].join(' · '));
		}, LIVE_EVERY);
		await interrupts.stopped();
		clearInterval(timer);
		output.endLive({ keep: false });
		await tracker.close();
		output.event({ event: 'stopped' });
		output.line('stopped');
		return EXIT.done;
	};
}
