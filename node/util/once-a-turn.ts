const DONE = Promise.resolve();

/**
 * Calls a function once for several requests to call it. Node.js calls it at the end of a turn of its
 * event loop, after it has read the sockets that are readable now, so that one call handles all that
 * has arrived. Browsers, which read no sockets, call it in a microtask.
 */
export class OnceATurn {
	readonly #callback: () => void;
	#isDue = false;
	#isUrgent = false;

	constructor(callback: () => void) {
		this.#callback = callback;
	}

	/** Requests a call at the end of this turn. */
	readonly soon = (): void => {
		if (!this.#isDue) {
			this.#isDue = true;
			typeof setImmediate === 'function' ? setImmediate(this.#ifDue) : this.urgent();
		}
	};

	/** Requests a call before another socket is read, in a microtask. */
	readonly urgent = (): void => {
		if (!this.#isUrgent) {
			this.#isDue = true;
			this.#isUrgent = true;
			// Cheaper than queueMicrotask, which makes an AsyncResource for each call.
			void DONE.then(this.#ifDue);
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
