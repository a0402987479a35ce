import type { LinkState, Mine, News, Order, Picture } from '../messages.ts';

/** What the page knows. */
export interface Scene {
	readonly link: LinkState;
	readonly picture: Picture | undefined;
	readonly mine: readonly Mine[];
	/** Whether downloads survive a reload. */
	readonly keeps: boolean;
}

/** The worker that is the node, and what it has told. */
export class Backstage {
	readonly #worker = new Worker(new URL('../worker/main.ts', import.meta.url), { type: 'module' });
	readonly #changed: (scene: Scene) => void;
	readonly #file: (name: string, blob: Blob) => void;
	#scene: Scene = { link: { state: 'opening' }, picture: undefined, mine: [], keeps: true };

	/**
	 * @param changed something is another now
	 * @param file a download is there to be saved
	 */
	constructor(changed: (scene: Scene) => void, file: (name: string, blob: Blob) => void) {
		this.#changed = changed;
		this.#file = file;
		this.#worker.addEventListener('message', ({ data }: MessageEvent<News>) => this.#hear(data));
		this.#worker.addEventListener('error', () => {
			const reason = 'A script of this page is missing: load it again.';
			this.#hear({ tell: 'link', link: { state: 'down', reason } });
		});
	}

	/** What is known now. */
	get scene(): Scene {
		return this.#scene;
	}

	/** Has the worker do something. */
	order(order: Order): void {
		this.#worker.postMessage(order);
	}

	/** Ends it, and the node with it. */
	close(): void {
		this.#worker.terminate();
	}

	#hear(news: News): void {
		if (news.tell === 'file') {
			this.#file(news.name, news.blob);
			return;
		}
		const { tell: _, ...change } = news;
		this.#scene = { ...this.#scene, ...change };
		this.#changed(this.#scene);
	}
}
