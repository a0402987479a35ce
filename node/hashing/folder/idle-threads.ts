import type { Worker } from 'node:worker_threads';

/** ms for which a thread without work is kept. */
const KEPT = 1_000;

/**
 * Threads without work, which are kept for a moment: to start one takes 50 ms of processor time, and
 * an update of a folder has several jobs, one after the other.
 */
export class IdleThreads {
	readonly #timers = new Map<Worker, ReturnType<typeof setTimeout>>();

	/** A thread without work; undefined if there is none. */
	take(): Worker | undefined {
		const [[worker, timer] = []] = this.#timers;
		if (worker !== undefined) {
			clearTimeout(timer);
			this.#timers.delete(worker);
			worker.removeAllListeners();
			worker.ref();
		}
		return worker;
	}

	/** Takes a thread whose job is done. */
	give(worker: Worker): void {
		worker.removeAllListeners();
		worker.on('exit', () => this.#forget(worker));
		worker.on('error', () => this.#forget(worker));
		// A thread without work does not keep the process running.
		worker.unref();
		const timer = setTimeout(() => {
			this.#forget(worker);
			void worker.terminate();
		}, KEPT);
		timer.unref();
		this.#timers.set(worker, timer);
	}

	#forget(worker: Worker): void {
		clearTimeout(this.#timers.get(worker));
		this.#timers.delete(worker);
	}
}
