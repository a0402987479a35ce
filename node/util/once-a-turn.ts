/**
 * Makes one call for many reasons to make it. Node.js makes the call at the end of a turn of its
 * event loop, after it has read the sockets that are readable now, so that the call handles all that
 * has arrived. Browsers, which read no sockets, make it as a microtask.
 */
export class OnceATurn {
	readonly #callback: () => void;
	#isDue = false;
	#isUrgent = false;

	constructor(callback: () => void) {
		this.#callback = callback;
	}

	/** The call is to be made in this turn. */
	readonly soon = (): void => {
		if (!this.#isDue) {
			this.#isDue = true;
			typeof setImmediate === 'function' ? setImmediate(this.#ifDue) : this.urgent();
		}
	};

	/** The call is to be made before another socket is read. */
	readonly urgent = (): void => {
		if (!this.#isUrgent) {
			this.#isDue = true;
			this.#isUrgent = true;
			queueMicrotask(this.#ifDue);
		}
	};

	readonly #ifDue = (): void => {
		this.#isUrgent = false;
		if (this.#isDue) {
			this.#isDue = false;
			this.#callback();
		}
	};
}
