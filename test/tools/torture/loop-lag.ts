import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

// Loaded before shoal: when the process ends, by how many ms 99 of 100 turns of its event loop were late at
// most is in the file LAG_FILE.

const RESOLUTION = 10;
const lag = monitorEventLoopDelay({ resolution: RESOLUTION });
lag.enable();
process.on('exit', () => {
	const { LAG_FILE } = process.env;
	if (LAG_FILE !== undefined) {
		writeFileSync(LAG_FILE, String(Math.max(0, lag.percentile(99) / 1e6 - RESOLUTION)));
	}
});
