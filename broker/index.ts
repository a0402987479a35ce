export type { Decision, RefusedAnnounce } from './decisions.ts';
export { Registry, type RegistryOptions } from './registry.ts';
export { Tracker, type TrackerStats } from './tracker.ts';
export type { TrackerEvents, TrackerOptions } from './tracker-options.ts';
