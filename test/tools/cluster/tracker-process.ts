import { Tracker, type TrackerOptions } from '../../../broker/index.ts';

// A tracker in a process of its own, which can be killed. It tells its parent its role. The argument
// is its options as JSON.

const tell = (role: 'ready' | 'standby' | 'down'): void => void process.send?.(role);
const tracker = await Tracker.start(JSON.parse(process.argv[2] ?? '') as TrackerOptions);
tracker.on('ready', () => tell('ready'));
tracker.on('standby', () => tell('standby'));
tracker.on('down', () => tell('down'));
tell(tracker.isReady ? 'ready' : 'standby');
