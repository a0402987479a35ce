import type { Scope } from './suite.ts';

/** Clean-ups of a program that is no test, run when a piece of work is done or the program is stopped. */
export class CleanUps {
	readonly #all: Array<() => unknown> = [];
	readonly #end: () => unknown;

	/** @param end what is to be done at the very end, also of a program that is stopped */
	constructor(end: () => unknown = () => {}) {
		this.#end = end;
		for (const signal of ['SIGINT', 'SIGTERM'] as const) {
			process.once(signal, () => void this.end().then(() => process.exit(130)));
		}
	}

	add(cleanUp: () => unknown): void {
		this.#all.push(cleanUp);
	}

	/** Undoes what there is, the last first. */
	async run(): Promise<void> {
		for (let next = this.#all.pop(); next !== undefined; next = this.#all.pop()) {
			await next();
		}
	}

	/** Runs `work` with clean-ups of its own. */
	async scoped<T>(work: (t: Scope) => Promise<T>): Promise<T> {
		const { signal } = new AbortController();
		try {
			return await work({ signal, defer: (cleanUp) => this.add(cleanUp) });
		} finally {
			await this.run();
		}
	}

	/** Undoes what there is, and does what is to be done at the very end. */
	async end(): Promise<void> {
		await this.run();
		await this.#end();
	}
}
