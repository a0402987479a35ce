import type { Scope } from './suite.ts';

/**
 * Clean-ups of a program other than a test. They run when a piece of work is done or the program is
 * stopped.
 */
export class CleanUps {
	readonly #all: Array<() => unknown> = [];
	readonly #end: () => unknown;

	/** @param end the last action, also when the program is stopped by a signal */
	constructor(end: () => unknown = () => {}) {
		this.#end = end;
		for (const signal of ['SIGINT', 'SIGTERM'] as const) {
			process.once(signal, () => void this.end().then(() => process.exit(130)));
		}
	}

	add(cleanUp: () => unknown): void {
		this.#all.push(cleanUp);
	}

	/** Adds a clean-up that runs after all others. */
	addToEnd(cleanUp: () => unknown): void {
		this.#all.unshift(cleanUp);
	}

	/** Runs all clean-ups, the last first. */
	async run(): Promise<void> {
		for (let next = this.#all.pop(); next !== undefined; next = this.#all.pop()) {
			await next();
		}
	}

	/** Runs `work`, and then the clean-ups that it has added. */
	async scoped<T>(work: (t: Scope) => Promise<T>): Promise<T> {
		const { signal } = new AbortController();
		try {
			return await work({
				signal,
				defer: (cleanUp) => this.add(cleanUp),
				deferToEnd: (cleanUp) => this.addToEnd(cleanUp),
			});
		} finally {
			await this.run();
		}
	}

	/** Runs all clean-ups, and then the last action. */
	async end(): Promise<void> {
		await this.run();
		await this.#end();
	}
}
