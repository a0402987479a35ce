/** State of an entry of the history: what it is called in this tab. */
interface EntryState {
	readonly entry: string;
}

/** Where the last entry is kept during a reload, as its name and px. */
const KEY = 'shoal scroll';
/** Events that mean that the user scrolls: restoring the position ends. */
const OWN_MOVES = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

/**
 * Keeps the scroll position of each entry of the history. A browser restores it at once, when the list that
 * the worker sends is not there yet; here it is restored when the page is long enough. New entries begin at the top.
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

	/** The address has changed: it is that of a new entry, or of one that was there before. */
	enter(): void {
		this.#entry = enterEntry();
		this.#wanted = this.#tops.get(this.#entry) ?? 0;
	}

	/** Scrolls the view, which is drawn, to where it was; later if it is not long enough. */
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

/** The name of the current entry of the history; a new one is given its own. */
function enterEntry(): string {
	const known = history.state as EntryState | null;
	if (known?.entry !== undefined) {
		return known.entry;
	}
	const entry = String(performance.timeOrigin + performance.now());
	history.replaceState({ entry } satisfies EntryState, '');
	return entry;
}
