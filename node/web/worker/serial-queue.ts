/** Runs tasks one after the other, in the order in which they were added. */
export class SerialQueue {
	#last: Promise<unknown> = Promise.resolve();

	/** Runs `work` after all earlier tasks, even if they fail. @returns its outcome */
	run<T>(work: () => Promise<T>): Promise<T> {
		const result = this.#last.then(work);
		this.#last = result.catch(() => {});
		return result;
	}
}
