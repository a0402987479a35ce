import type { Scope } from './suite.ts';

/** Timers that fire only when a test says so. */
export interface HeldTimers {
	/** How often a held timer was refreshed. */
	readonly refreshed: number;
	/** Fires all timers that are set and not cleared. */
	fire(): void;
}

/** Holds the timers of exactly `ms` that are set from now on; all other timers work as usual. */
export function holdTimers(t: Scope, ms: number): HeldTimers {
	const { setTimeout: set, clearTimeout: clear } = globalThis;
	const held = new Map<unknown, () => void>();
	let refreshed = 0;
	const hold = (callback: (...args: unknown[]) => void, delay?: number, ...args: unknown[]) => {
		if (delay !== ms) {
			return set(callback, delay, ...args);
		}
		const timer = set(() => {}, ms).unref();
		held.set(timer, () => callback(...args));
		const refresh = (): NodeJS.Timeout => {
			refreshed += 1;
			return timer;
		};
		return Object.assign(timer, { refresh });
	};
	const drop = (timer?: NodeJS.Timeout): void => {
		held.delete(timer);
		clear(timer);
	};
	Object.assign(globalThis, { setTimeout: hold, clearTimeout: drop });
	t.defer(() => Object.assign(globalThis, { setTimeout: set, clearTimeout: clear }));
	return {
		get refreshed() {
			return refreshed;
		},
		fire: () => {
			const callbacks = [...held.values()];
			held.clear();
			for (const callback of callbacks) {
				callback();
			}
		},
	};
}
