import type { Link, Reply, TrackerState } from '../../protocol/index.ts';
import { Questions } from './questions.ts';
import type { TrackerSettings } from './tracker-options.ts';

/** ms between two searches for another active tracker. */
const SEARCH_EVERY = 5_000;
/** ms within which a tracker that has said that it is ready has to answer. */
const ANSWER_WITHIN = 500;

/** Options of {@link Rivals}. */
export interface RivalsOptions {
	readonly link: Link;
	readonly settings: Pick<TrackerSettings, 'id' | 'topics' | 'isAlone'>;
	/** Publishes the state of this tracker again. */
	readonly repeat: () => void;
	/** Called when another tracker is active and its id sorts first: this one has to stand by. */
	readonly onRival: () => void;
}

/**
 * The search of an active tracker for others. If trackers are active on both sides of a split, they
 * find each other afterwards by their questions. The one whose id sorts first stays active. Only an
 * answer proves that another tracker is active: a server that was away may bring back the retained
 * state of one that is gone.
 */
export class Rivals {
	readonly #options: RivalsOptions;
	readonly #questions: Questions;
	readonly #search: ReturnType<typeof setInterval> | undefined;
	#doubt: ReturnType<typeof setTimeout> | undefined;

	constructor(options: RivalsOptions) {
		const { link, settings } = options;
		this.#options = options;
		this.#questions = new Questions(link, settings.topics);
		if (!settings.isAlone) {
			this.#search = setInterval(() => this.#questions.ask(), SEARCH_EVERY).unref();
		}
	}

	/**
	 * Handles the state of a tracker. A retained one is ignored, and so is one of the current session
	 * of this tracker, or an earlier `ready` of its own. Any other state has replaced that of this
	 * tracker, which is published again; but not if it is that of a tracker that answers, and whose
	 * id sorts first.
	 */
	onState({ state, tracker, session }: TrackerState, isRetained: boolean): void {
		const { link, settings, repeat, onRival } = this.#options;
		const isOurs = tracker === settings.id && (session === link.session || state === 'ready');
		if (isRetained || isOurs) {
			return;
		}
		if (state === 'lost' || tracker > settings.id) {
			repeat();
		} else if (settings.isAlone) {
			// The broker of which this tracker is a part retains nothing of the time before.
			onRival();
		} else {
			this.#questions.ask();
			clearTimeout(this.#doubt);
			this.#doubt = setTimeout(repeat, ANSWER_WITHIN).unref();
		}
	}

	/** Handles a reply of the client `from`: if it answers a question, another tracker is active. */
	onReply(from: string, reply: Reply): void {
		const { settings, repeat, onRival } = this.#options;
		if (!this.#questions.isAnswer(reply)) {
			return;
		}
		if (from < settings.id) {
			onRival();
		} else {
			repeat();
		}
	}

	/** Ends the search. */
	close(): void {
		clearInterval(this.#search);
		clearTimeout(this.#doubt);
	}
}
