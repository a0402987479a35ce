import type { Scope } from '../../helpers/harness/suite.ts';

/** The cost of a scenario. */
export interface Needs {
	/** Bytes on the disk. */
	readonly disk: number;
	/** Minutes it takes, about. */
	readonly minutes: number;
	/** Other requirements. */
	readonly other?: string;
	/** Why it cannot run here. */
	readonly missing?: string | undefined;
}

/** The tools of a scenario. */
export interface TortureContext extends Scope {
	/** An empty folder that is removed afterwards. */
	readonly folder: string;
	/** 0 to 1, the same again for the same seed. */
	readonly random: () => number;
	/** Of the length that is asked for on the command line; undefined: the scenario's own. */
	readonly size: number | undefined;
	/** The folder of another build of shoal, where one is named on the command line. */
	readonly otherBuild: string | undefined;
	/** How long it is to last, where that can be chosen; undefined: the scenario's own. */
	readonly minutes: number | undefined;
	/** Tells what is going on. */
	say(text: string): void;
	/** A figure for the summary. */
	note(name: string, value: string): void;
	/** A fact that has to hold; the scenario goes on if it does not. */
	check(fact: string, holds: boolean, seen?: string): void;
}

/** Something hard that shoal has to survive. */
export interface Scenario {
	readonly name: string;
	/** The fact it shows, in a sentence. */
	readonly about: string;
	/** @param otherBuild see {@link TortureContext} */
	needs(size: number | undefined, otherBuild: string | undefined): Needs;
	/** @throws what it cannot go on after */
	run(t: TortureContext): Promise<void>;
}
