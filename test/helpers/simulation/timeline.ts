interface Event {
	readonly at: number;
	readonly order: number;
	readonly run: () => void;
}

/**
 * Virtual time in ms, and the events to come in order of time. Events of the same time keep their
 * order of creation.
 */
export class Timeline {
	now = 0;
	#order = 0;
	/** A binary heap, the next event at its top. */
	readonly #events: Event[] = [];

	/** Runs `run` in `ms`. */
	after(ms: number, run: () => void): void {
		this.at(this.now + ms, run);
	}

	/** Runs `run` at the time `at`. */
	at(at: number, run: () => void): void {
		this.#order += 1;
		this.#rise({ at: Math.max(at, this.now), order: this.#order, run });
	}

	/** Runs the next event. @returns whether there was one */
	step(): boolean {
		const events = this.#events;
		const [next] = events;
		const last = events.pop();
		if (next === undefined || last === undefined) {
			return false;
		}
		if (events.length > 0) {
			this.#sink(last);
		}
		this.now = next.at;
		next.run();
		return true;
	}

	#rise(event: Event): void {
		const events = this.#events;
		let place = events.length;
		while (place > 0) {
			const parent = (place - 1) >> 1;
			const other = events[parent] as Event;
			if (isBefore(other, event)) {
				break;
			}
			events[place] = other;
			place = parent;
		}
		events[place] = event;
	}

	#sink(event: Event): void {
		const events = this.#events;
		let place = 0;
		for (let child = 1; child < events.length; child = place * 2 + 1) {
			const right = events[child + 1];
			const isRight = right !== undefined && isBefore(right, events[child] as Event);
			const least = isRight ? child + 1 : child;
			if (isBefore(event, events[least] as Event)) {
				break;
			}
			events[place] = events[least] as Event;
			place = least;
		}
		events[place] = event;
	}
}

function isBefore(a: Event, b: Event): boolean {
	return a.at < b.at || (a.at === b.at && a.order < b.order);
}
