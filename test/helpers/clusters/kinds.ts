import type { Scope } from '../harness/suite.ts';
import type { Cluster, Place } from './cluster.ts';
import { startStar, whatStarNeeds } from './mosquitto-star.ts';
import { startNats, whatNatsNeeds } from './nats.ts';
import { startRabbitMq, whatRabbitMqNeeds } from './rabbitmq.ts';

/** A kind of cluster. */
export interface ClusterKind {
	readonly name: string;
	/** Returns what to install; undefined if it is installed. */
	readonly missing: () => string | undefined;
	/** Starts a cluster. @param places where the servers run. @default on this machine */
	readonly start: (t: Scope, places?: readonly Place[]) => Promise<Cluster>;
}

export const KINDS: readonly ClusterKind[] = [
	{ name: 'nats', missing: whatNatsNeeds, start: startNats },
	{ name: 'rabbitmq', missing: whatRabbitMqNeeds, start: startRabbitMq },
	{ name: 'mosquitto', missing: whatStarNeeds, start: startStar },
];
