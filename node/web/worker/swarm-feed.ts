import {
	type Announce,
	BaseLink,
	isShoalError,
	makeNodeId,
	printable,
	type Topic,
	Topics,
} from '../../../protocol/index.ts';
import { RateMeter } from '../../rate-meter.ts';
import { type ControlEvent, type SwarmOf, SwarmView } from '../../swarm-view.ts';
import type { Happening, Load, Look, Moment, NodeRow, Picture, SeedPicture, SeedRow } from '../messages.ts';

const MINUTES = 5;
const MOST_EVENTS = 50;

/** What is remembered of a seed beside what its announces say. */
interface Story {
	readonly since: number;
	readonly gained: RateMeter;
}

/** The swarm as the control topics tell it, and what a page is told of that. */
export class SwarmFeed {
	readonly #view = new SwarmView();
	readonly #topics = new Topics();
	readonly #stories = new Map<string, Story>();
	readonly #history: Moment[] = [];
	readonly #events: Happening[] = [];
	#load: Load | undefined;

	/** Forgets what is only true while there is a connection. */
	clear(): void {
		this.#view.clear();
		this.#load = undefined;
	}

	/** A message has come. @throws ShoalError ERR_MESSAGE */
	apply(topic: string, payload: Uint8Array): void {
		const parsed = this.#topics.tryParse(topic);
		if (parsed?.kind === 'announce') {
			this.#count(parsed, this.#view.announceOf(parsed.seed, parsed.from), () =>
				this.#view.apply(parsed, payload),
			);
		} else if (parsed !== undefined) {
			this.#note(parsed, this.#view.apply(parsed, payload));
		}
	}
}
