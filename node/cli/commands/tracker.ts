import { Tracker } from '../../../broker/index.ts';
import { logTracker } from '../broker/service-log.ts';
import type { Command } from '../command.ts';
import { type ConnectFlags, chooseBrokers } from '../connect/choose-broker.ts';
import { asBroker, clientBrokers } from '../connect/connect.ts';
import { EXIT } from '../exit-codes.ts';
import { parseLimits } from '../parse/limits.ts';
import { countOf } from '../terminal/units.ts';

/** Arguments and flags of `shoal tracker`. */
export interface TrackerFlags extends ConnectFlags {
	readonly limit?: readonly string[] | undefined;
	/** The least severe level that is logged. */
	readonly logLevel?: string | undefined;
}

const LIVE_EVERY = 500;

/** `shoal tracker`: runs only the tracker, on a broker that runs already. */
export function trackerCommand(flags: TrackerFlags): Command {
	return async ({ output, interrupts }) => {
		await output.openLog(flags.logLevel);
		const urls = chooseBrokers(flags.broker);
		const limits = parseLimits(flags.limit ?? []);
		const { others = [], ...first } = clientBrokers(urls, flags.cert);
		const starting = Tracker.start({ url: [first, ...others], limits });
		const tracker = await interrupts.race(asBroker(starting, urls));
		const printState = (event: 'ready' | 'standby'): void => {
			const { id, broker } = tracker;
			output.event({ event, tracker: id, broker });
			output.line(
				event === 'ready'
					? `the tracker is ready on ${broker}`
					: `another tracker is ready on ${broker}; this one stands by, and takes over when the other is lost`,
			);
		};
		tracker.on('ready', () => printState('ready'));
		tracker.on('standby', () => printState('standby'));
		tracker.on('warning', (error) => output.warn(error));
		logTracker(output, tracker);
		tracker.on('down', () => {
			const { broker } = tracker;
			output.event({ event: 'offline', broker });
			output.line(`connection to ${urls.length > 1 ? broker : 'the broker'} lost, trying again`);
		});
		printState(tracker.isActive ? 'ready' : 'standby');
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
