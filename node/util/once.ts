/** Work that is done at most once. Others can wait for its end. */
export class Once {
	/** Resolves when the work has ended, even if it has failed. */
	readonly ended: Promise<void>;
	#resolve = (): void => {};
	#running: Promise<void> | undefined;

	constructor() {
		this.ended = new Promise((resolve) => {
			this.#resolve = resolve;
		});
	}

	/** Begins the work, unless it was begun. @returns its end @throws the error of `work` */
	run(work: () => Promise<void>): Promise<void> {
		this.#running ??= work().finally(this.#resolve);
		return this.#running;
	}
}
