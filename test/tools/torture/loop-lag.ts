import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

// Loaded before shoal. When the process ends, it writes the 99th percentile of the delay of its
// event loop, in ms, into the file LAG_FILE.

const RESOLUTION = 10;
const lag = monitorEventLoopDelay({ resolution: RESOLUTION });
lag.enable();
process.on('exit', () => {
	const { LAG_FILE } = process.env;
	if (LAG_FILE !== undefined) {
		writeFileSync(LAG_FILE, String(Math.max(0, lag.percentile(99) / 1e6 - RESOLUTION)));
	}
});
