export type { PublishRefusal } from './access.ts';
export { Broker, type BrokerEvents, type BrokerOptions, type BrokerStats } from './broker.ts';
export type { Decision, RefusedAnnounce } from './decisions.ts';
export type { EntryRefusal } from './door.ts';
export type { BrokerRefusal } from './gatekeeper.ts';
export { Registry, type RegistryOptions } from './registry.ts';
export { Tracker, type TrackerStats } from './tracker.ts';
export type { TrackerEvents, TrackerOptions } from './tracker-options.ts';
