/** Does pieces of work one after the other, in the order in which they come. */
export class OneByOne {
	#last: Promise<unknown> = Promise.resolve();

	/** @returns what `work` does, when its turn has come; what fails does not hold up the next */
	run<T>(work: () => Promise<T>): Promise<T> {
		const result = this.#last.then(work);
		this.#last = result.catch(() => {});
		return result;
	}
}
