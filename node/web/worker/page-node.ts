import { isShoalError } from '../../../protocol/index.ts';
import type { PageAccess } from '../messages.ts';
import { thisBrowser } from './browser-name.ts';
import { BrowserNode, type BrowserNodeOptions } from './browser-node.ts';

/** ms between two tries to start the node while the broker cannot be reached. */
const TRY_EVERY = 1_000;
/** The codes of errors that mean that the broker cannot be reached. */
const AWAY = ['ERR_BROKER', 'ERR_TIMEOUT', 'ERR_DISCONNECTED'] as const;

/** The node of a page, which starts when it is needed for the first time. */
export class PageNode {
	access: PageAccess = { url: '', token: '', canAct: false };
	readonly #onBroken: BrowserNodeOptions['onBroken'];
	#node: Promise<BrowserNode> | undefined;
	#started: BrowserNode | undefined;

	/** @param onBroken as in {@link BrowserNodeOptions} */
	constructor(onBroken: BrowserNodeOptions['onBroken']) {
		this.#onBroken = onBroken;
	}

	/** The node; undefined until it has started. */
	get started(): BrowserNode | undefined {
		return this.#started;
	}

	/** The node, as soon as the broker can be reached. @throws ShoalError ERR_REFUSED and others */
	async reached(signal: AbortSignal): Promise<BrowserNode> {
		while (true) {
			signal.throwIfAborted();
			try {
				return await this.#joined();
			} catch (error) {
				if (!AWAY.some((code) => isShoalError(error, code))) {
					throw error;
				}
			}
			await new Promise((resolve) => setTimeout(resolve, TRY_EVERY));
		}
	}

	/** Stops sharing a content, if the node has started. */
	async drop(id: string): Promise<void> {
		const node = await this.#node?.catch(() => undefined);
		node?.drop(id);
	}

	/** The node; the first call starts it. */
	#joined(): Promise<BrowserNode> {
		this.#node ??= BrowserNode.start({
			...this.access,
			name: thisBrowser(),
			onBroken: this.#onBroken,
		});
		this.#node.then(
			(node) => {
				this.#started = node;
			},
			() => {
				this.#node = undefined;
			},
		);
		return this.#node;
	}
}
