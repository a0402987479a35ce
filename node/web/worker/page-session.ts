import { isShoalError, printable, safeFileName } from '../../../protocol/index.ts';
import type { Progress } from '../../download/download-types.ts';
import type { OwnTransfer, PageAccess, ViewQuery, WorkerEvent } from '../messages.ts';
import { thisBrowser } from './browser-name.ts';
import { BrowserNode } from './browser-node.ts';
import { whenFree, whileChanging } from './content-locks.ts';
import { forget, hasFiles, keepStopped, keptContent, keptContents } from './opfs-backing.ts';
import { reasonOf } from './reason.ts';
import { SwarmMonitor } from './swarm-monitor.ts';
import { type Connection, watchSwarm } from './watch-swarm.ts';
import type { WebLink } from './web-link.ts';

/** A download or a share of the page, with its blob, and with the controller that stops it. */
interface Item {
	transfer: OwnTransfer;
	/** The file name as it was shared; the name in `transfer` is the form for display. */
	name: string;
	blob: Blob | undefined;
	/** Whether the user requested it on this page; if not, an earlier page has left it. */
	isAsked: boolean;
	readonly stop: AbortController;
	/** Settles when a download has ended and has released its files. */
	ended: Promise<unknown>;
}

/** ms between two snapshots of the swarm that are sent to the page. */
const DRAW_EVERY = 500;
/** ms between two tries to start the node while the broker cannot be reached. */
const TRY_EVERY = 1_000;
/** ms within which a tab that was reloaded resumes its downloads. */
const RETURN_WITHIN = 1_500;
/** The codes of errors that mean that the broker cannot be reached. */
const AWAY = ['ERR_BROKER', 'ERR_TIMEOUT', 'ERR_DISCONNECTED'] as const;

/**
 * The work behind a page: it watches the swarm, and starts a node when the user first downloads or
 * shares something.
 */
export class PageSession {
	readonly #send: (event: WorkerEvent) => void;
	readonly #swarm = new SwarmMonitor();
	readonly #items = new Map<string, Item>();
	/** The stops and removals under way, by seed id. */
	readonly #leaving = new Map<string, Promise<void>>();
	#access: PageAccess = { url: '', token: '', canAct: false };
	#connection: Connection = { state: 'opening' };
	#hadTracker = false;
	#view: ViewQuery = { view: 'none' };
	#node: Promise<BrowserNode> | undefined;
	/** The node, once it has started. */
	#started: BrowserNode | undefined;
	#watching: WebLink | undefined;
	#drafts = 0;

	constructor(send: (event: WorkerEvent) => void) {
		this.#send = send;
		setInterval(() => this.#swarm.tick(), 1_000);
		setInterval(() => this.#draw(), DRAW_EVERY);
	}

	/** Watches a broker, and resumes the downloads that an earlier page has left. */
	async open(access: PageAccess): Promise<void> {
		this.#access = access;
		const keeps = await hasFiles();
		this.#send({ event: 'keeps', keeps });
		this.#watching = await watchSwarm(access, this.#swarm, (connection) => {
			this.#connection = connection;
			this.#sendLink();
		});
		if (keeps && access.canAct) {
			for (const { id, name, length, have, isStopped } of await keptContents()) {
				const state = isStopped ? 'stopped' : 'waiting';
				const item = this.#put(id, name, { length, have, state });
				if (!isStopped) {
					void this.#fetch(item);
				}
			}
		}
	}

	/** Changes the part of the swarm that the page shows. */
	look(view: ViewQuery): void {
		this.#view = view;
		this.#draw();
	}

	/**
	 * Downloads a content, or resumes its download, and shares it until the page is closed.
	 *
	 * @param name the name to show until the seed is known
	 */
	async get(id: string, name: string): Promise<void> {
		const known = this.#items.get(id)?.transfer;
		if (known === undefined || known.state === 'failed' || known.state === 'stopped') {
			const { length = 0, have = 0 } = known ?? {};
			const item = this.#put(id, name, { length, have, state: 'waiting' });
			item.isAsked = true;
			await this.#fetch(item);
		}
	}

	/**
	 * Runs the download of `item` until it is complete, fails or is stopped. If another tab has the
	 * content, waits until that tab releases the content.
	 */
	async #fetch(item: Item): Promise<void> {
		const { id } = item.transfer;
		const { signal } = item.stop;
		try {
			await this.#leaving.get(id);
			const node = await this.#reached(signal);
			const getting = node.get(id, {
				wait: true,
				signal,
				onProgress: (progress) => this.#update(item, progressOf(progress)),
			});
			item.ended = getting.catch(() => {});
			const { seed, ms, kept, blob } = await getting;
			item.name = seed.name;
			item.blob = blob;
			const about = { name: printable(seed.name), length: seed.length, have: seed.length };
			const is = { state: 'complete', rate: 0, canSave: true, reason: undefined } as const;
			this.#update(item, { ...about, ...is, ms });
			// Downloads that were complete when the page was opened were saved already, or were not wanted.
			if (kept < seed.length || seed.length === 0) {
				this.save(id);
			}
		} catch (error) {
			if (isShoalError(error, 'ERR_EXISTS') && this.#isShown(item) && (await hasFiles())) {
				await this.#waitForOtherTab(item);
			} else {
				this.#failed(item, error);
			}
		}
	}

	/**
	 * Waits until the other tab that has the content is closed or releases it, and then goes on with
	 * the chunks that are stored.
	 */
	async #waitForOtherTab(item: Item): Promise<void> {
		const { id } = item.transfer;
		this.#update(item, { state: 'elsewhere', rate: 0, sources: 0 });
		try {
			await whenFree(id, item.stop.signal);
			// Perhaps the other tab is only being reloaded: then the download goes on there.
			await new Promise((resolve) => setTimeout(resolve, RETURN_WITHIN));
			await whenFree(id, item.stop.signal);
			const kept = await keptContent(id);
			if (!this.#isShown(item)) {
				return;
			}
			if (kept === undefined && !item.isAsked) {
				this.#items.delete(id);
				this.#sendTransfers();
			} else if (kept?.isStopped) {
				this.#update(item, { state: 'stopped', have: kept.have, length: kept.length });
			} else {
				this.#update(item, { state: 'waiting' });
				await this.#fetch(item);
			}
		} catch (error) {
			this.#failed(item, error);
		}
	}

	/**
	 * Whether `item` is still the item with its id: it was not stopped, removed, or replaced by a
	 * share of this page.
	 */
	#isShown(item: Item): boolean {
		return this.#items.get(item.transfer.id) === item;
	}

	/** Makes the seed of a file, and shares the file until the page is closed. */
	async share(file: File): Promise<void> {
		this.#drafts += 1;
		const draft = `draft-${this.#drafts}`;
		const about = { length: file.size, isShare: true };
		const item = this.#put(draft, file.name, { ...about, state: 'waiting' });
		const { signal } = item.stop;
		try {
			const node = await this.#reached(signal);
			const onBytes = (have: number): void => this.#update(item, { state: 'hashing', have });
			const seed = await node.share(file, { onBytes, signal });
			this.#items.delete(draft);
			this.#put(seed.id, file.name, { ...about, state: 'sharing', have: seed.length });
		} catch (error) {
			if (isShoalError(error, 'ERR_EXISTS')) {
				// The content is on the page already, and is shared.
				this.#items.delete(draft);
				this.#sendTransfers();
			} else {
				this.#failed(item, error);
			}
		}
	}

	/** Hands a finished download to the page, to be saved. */
	save(id: string): void {
		const item = this.#items.get(id);
		if (item?.blob !== undefined) {
			this.#send({ event: 'file', name: safeFileName(item.name), blob: item.blob });
		}
	}

	/**
	 * Ends a download and keeps its chunks, so that it can be resumed. A share is removed: it has
	 * nothing to keep.
	 */
	stop(id: string): void {
		const item = this.#items.get(id);
		if (item === undefined || item.transfer.isShare) {
			this.remove(id);
			return;
		}
		item.stop.abort();
		const { name, length, have } = item.transfer;
		const stopped = this.#put(id, name, { length, have, state: 'stopped' });
		this.#leave(id, async (keeps) => {
			await item.ended;
			const kept = keeps ? await keepStopped(id) : undefined;
			if (kept !== undefined && this.#isShown(stopped)) {
				// More chunks may be stored than were checked before the stop.
				this.#update(stopped, { have: kept.have });
			}
		});
	}

	/** Ends a download or a share, and removes its stored chunks. */
	remove(id: string): void {
		const item = this.#items.get(id);
		if (item === undefined) {
			return;
		}
		item.stop.abort();
		this.#items.delete(id);
		this.#sendTransfers();
		const { state, isShare } = item.transfer;
		this.#leave(id, async (keeps) => {
			await item.ended;
			const node = await this.#node?.catch(() => undefined);
			node?.drop(id);
			// Contents of another tab are not removed here.
			if (keeps && state !== 'elsewhere' && !isShare) {
				await forget(id);
			}
		});
	}

	/**
	 * Handles that the user leaves the page. The node leaves in the current turn of the event loop,
	 * because the worker perhaps gets no other turn.
	 *
	 * @param mayReturn whether the browser may keep the page frozen, so that the user can go back to
	 *   it
	 */
	leave(mayReturn: boolean): void {
		if (mayReturn) {
			this.#started?.suspend();
			this.#watching?.drop();
		} else {
			this.#started?.leave();
		}
	}

	/** Runs `end`, the end of a download, before this tab or another starts the download again. */
	#leave(id: string, end: (keeps: boolean) => Promise<void>): void {
		const before = this.#leaving.get(id);
		const leaving = (async () => {
			await before;
			const keeps = await hasFiles();
			await (keeps ? whileChanging(id, () => end(true)) : end(false));
		})().finally(() => {
			if (this.#leaving.get(id) === leaving) {
				this.#leaving.delete(id);
			}
		});
		this.#leaving.set(id, leaving);
	}

	/** The node of this page, as soon as the broker can be reached. @throws ShoalError ERR_REFUSED and others */
	async #reached(signal: AbortSignal): Promise<BrowserNode> {
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

	/** The node of this page; the first call starts it. */
	#joined(): Promise<BrowserNode> {
		this.#node ??= BrowserNode.start({
			...this.#access,
			name: thisBrowser(),
			onBroken: (id, error) => {
				const item = this.#items.get(id);
				if (item !== undefined) {
					this.#failed(item, error);
				}
			},
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

	#put(
		id: string,
		name: string,
		change: Partial<OwnTransfer> & Pick<OwnTransfer, 'length' | 'state'>,
	): Item {
		const none = { have: 0, rate: 0, sources: 0, canSave: false };
		const item: Item = {
			transfer: { id, name: printable(name), ...none, isShare: false, ...change },
			name,
			blob: undefined,
			isAsked: false,
			stop: new AbortController(),
			ended: Promise.resolve(),
		};
		this.#items.set(id, item);
		this.#sendTransfers();
		return item;
	}

	#update(item: Item, change: Partial<OwnTransfer>): void {
		item.transfer = { ...item.transfer, ...change };
		this.#sendTransfers();
	}

	#failed(item: Item, error: unknown): void {
		if (!item.stop.signal.aborted) {
			this.#update(item, { state: 'failed', rate: 0, reason: reasonOf(error) });
		}
	}

	#sendTransfers(): void {
		this.#send({
			event: 'transfers',
			transfers: [...this.#items.values()].map(({ transfer }) => transfer),
		});
	}

	#sendLink(): void {
		const { hasTracker } = this.#swarm.view;
		this.#hadTracker = hasTracker;
		this.#send({ event: 'link', link: { ...this.#connection, hasTracker } });
	}

	#draw(): void {
		if (this.#hadTracker !== this.#swarm.view.hasTracker) {
			this.#sendLink();
		}
		if (this.#view.view !== 'none') {
			this.#send({ event: 'swarm', swarm: this.#swarm.snapshot(this.#view) });
		}
	}
}

function progressOf({ phase, name, have, length, rate, sources }: Progress): Partial<OwnTransfer> {
	const about = name === undefined ? {} : { name: printable(name), length };
	return { ...about, state: phase, have, rate, sources };
}
