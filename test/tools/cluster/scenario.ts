import type { Cluster } from '../../helpers/clusters/cluster.ts';
import type { Scope } from '../../helpers/harness/suite.ts';

/** The unit of a figure: milliseconds, bytes, or a number of things. */
export type Unit = 'ms' | 'bytes' | '';

/** A measured value. */
export interface Figure {
	readonly scenario: string;
	readonly name: string;
	readonly value: number;
	readonly unit: Unit;
	/** The largest acceptable value; undefined: the figure only informs. */
	readonly most: number | undefined;
}

/** The tools of a scenario. */
export interface ClusterContext extends Scope {
	readonly cluster: Cluster;
	/** The name of its kind. */
	readonly kind: string;
	/** An empty folder that is removed afterwards. */
	readonly folder: string;
	/** Prints a message about the progress. */
	say(text: string): void;
	/** Records a figure. If it is larger than `most`, the scenario fails but continues. */
	figure(name: string, value: number, unit?: Unit, most?: number): void;
}

/** Something that happens to a swarm on a cluster. */
export interface ClusterScenario {
	readonly name: string;
	/** The events of the scenario, in one sentence. */
	readonly about: string;
	/** @throws if the scenario cannot continue */
	run(t: ClusterContext): Promise<void>;
}
