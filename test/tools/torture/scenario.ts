import type { Scope } from '../../helpers/harness/suite.ts';

/** The cost of a scenario. */
export interface Needs {
	/** Bytes on the disk. */
	readonly disk: number;
	/** The approximate duration, minutes. */
	readonly minutes: number;
	/** Other requirements. */
	readonly other?: string;
	/** Why the scenario cannot run on this machine. */
	readonly missing?: string | undefined;
}

/** The tools of a scenario. */
export interface TortureContext extends Scope {
	/** An empty folder that is removed afterwards. */
	readonly folder: string;
	/** Returns random numbers from 0 to 1, the same for the same seed. */
	readonly random: () => number;
	/** Bytes from `--gib` on the command line; undefined: the default of the scenario. */
	readonly size: number | undefined;
	/** The folder of another build of shoal, from `--other` on the command line. */
	readonly otherBuild: string | undefined;
	/**
	 * The duration from `--minutes` on the command line; undefined: the default of the scenario.
	 */
	readonly minutes: number | undefined;
	/** Prints a message about the progress. */
	say(text: string): void;
	/** Prints a figure. */
	note(name: string, value: string): void;
	/** Checks a fact. If it does not hold, the scenario fails but continues. */
	check(fact: string, holds: boolean, seen?: string): void;
}

/** A scenario that shoal has to survive. */
export interface Scenario {
	readonly name: string;
	/** What happens in the scenario, in one sentence. */
	readonly about: string;
	/** @param otherBuild see {@link TortureContext} */
	needs(size: number | undefined, otherBuild: string | undefined): Needs;
	/** @throws if the scenario cannot continue */
	run(t: TortureContext): Promise<void>;
}
