/** State of an entry of the history: its name in this tab. */
interface EntryState {
	readonly entry: string;
}

/** Key in the session storage for the name of the last entry, and for its scroll position in px. */
const KEY = 'shoal scroll';
/** Events that mean that the user scrolls: restoring the position ends. */
const OWN_MOVES = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

/**
 * Keeps the scroll position of each entry of the history, and restores it when the page is long
 * enough. A browser would restore it at once, before the list from the worker has arrived. New
 * entries begin at the top.
 */
export class ScrollKeeper {
	readonly #tops = new Map<string, number>();
	readonly #growth = new ResizeObserver(() => this.#move());
	#entry = enterEntry();
	/** px to scroll to, as soon as the page is long enough. */
	#wanted: number | undefined;

	constructor() {
		const [entry, top] = (sessionStorage.getItem(KEY) ?? '').split(' ');
		this.#wanted = entry === this.#entry ? Number(top) : undefined;
		history.scrollRestoration = 'manual';
		addEventListener('scroll', this.#note, { passive: true });
		addEventListener('pagehide', this.#save);
		for (const move of OWN_MOVES) {
			addEventListener(move, this.#stop, { passive: true });
		}
	}

	/** Handles a change of the address: the history has gone to a new entry, or to an earlier one. */
	enter(): void {
		this.#entry = enterEntry();
		this.#wanted = this.#tops.get(this.#entry) ?? 0;
	}

	/**
	 * Scrolls the view to its earlier position, as soon as the view is long enough. Call it after the
	 * view was drawn.
	 */
	restore(): void {
		if (this.#wanted !== undefined) {
			this.#growth.observe(document.body);
			this.#move();
		}
	}

	close(): void {
		this.#stop();
		removeEventListener('scroll', this.#note);
		removeEventListener('pagehide', this.#save);
		for (const move of OWN_MOVES) {
			removeEventListener(move, this.#stop);
		}
	}

	#move(): void {
		if (this.#wanted !== undefined) {
			scrollTo(0, this.#wanted);
			if (Math.abs(scrollY - this.#wanted) < 2) {
				this.#stop();
			}
		}
	}

	readonly #stop = (): void => {
		this.#wanted = undefined;
		this.#growth.disconnect();
	};

	readonly #note = (): void => {
		if (this.#wanted === undefined) {
			this.#tops.set(this.#entry, scrollY);
		}
	};

	readonly #save = (): void => sessionStorage.setItem(KEY, `${this.#entry} ${scrollY}`);
}

/** The name of the current entry of the history; a new entry gets a new name. */
function enterEntry(): string {
	const known = history.state as EntryState | null;
	if (known?.entry !== undefined) {
		return known.entry;
	}
	const entry = String(performance.timeOrigin + performance.now());
	history.replaceState({ entry } satisfies EntryState, '');
	return entry;
}
