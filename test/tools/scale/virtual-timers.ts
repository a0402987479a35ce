/** A timer as `setTimeout` and `setInterval` return it. */
interface VirtualTimer {
	at: number;
	readonly every: number | undefined;
	readonly run: () => void;
	ref(): VirtualTimer;
	unref(): VirtualTimer;
	hasRef(): boolean;
}

/** Timers of a process that run in virtual time, ms. `setImmediate` stays as it is. */
export class VirtualTimers {
	now = 0;
	readonly #timers = new Set<VirtualTimer>();

	/** Replaces `setTimeout`, `setInterval` and their opposites in this process. */
	install(): void {
		const clear = (timer: VirtualTimer | undefined): void => {
			this.#timers.delete(timer as VirtualTimer);
		};
		Object.assign(globalThis, {
			setTimeout: (run: () => void, ms = 0) => this.#add(run, ms, undefined),
			setInterval: (run: () => void, ms = 1) => this.#add(run, ms, ms),
			clearTimeout: clear,
			clearInterval: clear,
		});
	}

	/** Moves the time on to `until`, and runs the timers that are due, in order. */
	advance(until: number): void {
		for (let next = this.#nextBy(until); next !== undefined; next = this.#nextBy(until)) {
			this.now = Math.max(this.now, next.at);
			if (next.every === undefined) {
				this.#timers.delete(next);
			} else {
				next.at += next.every;
			}
			next.run();
		}
		this.now = Math.max(this.now, until);
	}

	#nextBy(until: number): VirtualTimer | undefined {
		let next: VirtualTimer | undefined;
		for (const timer of this.#timers) {
			if (timer.at <= until && (next === undefined || timer.at < next.at)) {
				next = timer;
			}
		}
		return next;
	}

	#add(run: () => void, ms: number, every: number | undefined): VirtualTimer {
		const timer: VirtualTimer = {
			at: this.now + ms,
			every,
			run,
			ref: () => timer,
			unref: () => timer,
			hasRef: () => false,
		};
		this.#timers.add(timer);
		return timer;
	}
}
