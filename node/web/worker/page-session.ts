import { isShoalError, printable, safeFileName } from '../../../protocol/index.ts';
import type { Progress } from '../../download/download-types.ts';
import type { OwnTransfer, PageAccess, ViewQuery, WorkerEvent } from '../messages.ts';
import { BrowserNode } from './browser-node.ts';
import { forget, hasFiles, keptContents } from './opfs-backing.ts';
import { reasonOf } from './reason.ts';
import { SwarmMonitor } from './swarm-monitor.ts';
import { watchSwarm } from './watch-swarm.ts';

/** A download or a share, and what can be done with it. */
interface Item {
	transfer: OwnTransfer;
	/** As whoever shared it wrote it; unlike that of `transfer` it is not for reading. */
	name: string;
	blob: Blob | undefined;
	readonly stop: AbortController;
	/** Settled when a download has ended and given its files back. */
	ended: Promise<unknown>;
}

/** ms between two pictures. */
const DRAW_EVERY = 500;

/** All that goes on behind a page: it watches the swarm, and is a node once something is to be got or shared. */
export class PageSession {
	readonly #send: (event: WorkerEvent) => void;
	readonly #swarm = new SwarmMonitor();
	readonly #items = new Map<string, Item>();
	/** What is being removed, by seed. */
	readonly #leaving = new Map<string, Promise<void>>();
	#access: PageAccess = { url: '', token: '', canAct: false };
	#view: ViewQuery = { view: 'none' };
	#node: Promise<BrowserNode> | undefined;
	#drafts = 0;

	constructor(send: (event: WorkerEvent) => void) {
		this.#send = send;
		setInterval(() => this.#swarm.tick(), 1_000);
		setInterval(() => this.#draw(), DRAW_EVERY);
	}

	/** Watches a broker, and takes up what an earlier page has left. */
	async open(access: PageAccess): Promise<void> {
		this.#access = access;
		const keeps = await hasFiles();
		this.#send({ event: 'keeps', keeps });
		await watchSwarm(access, this.#swarm, (link) => this.#send({ event: 'link', link }));
		if (keeps && access.canAct) {
			for (const { id, name } of await keptContents()) {
				void this.get(id, name);
			}
		}
	}

	/** The page shows something else. */
	look(view: ViewQuery): void {
		this.#view = view;
		this.#draw();
	}

	/**
	 * Downloads a seed, or goes on with it; and serves it until the page is closed.
	 *
	 * @param name what it is called until the seed is known
	 */
	async get(id: string, name: string): Promise<void> {
		const known = this.#items.get(id)?.transfer;
		if (known !== undefined && known.state !== 'failed') {
			return;
		}
		const item = this.#put(id, name, { length: known?.length ?? 0, state: 'waiting' });
		try {
			await this.#leaving.get(id);
			const node = await this.#joined();
			const getting = node.get(id, {
				wait: true,
				signal: item.stop.signal,
				onProgress: (progress) => this.#update(item, progressOf(progress)),
			});
			item.ended = getting.catch(() => {});
			const { seed, ms, kept, blob } = await getting;
			item.name = seed.name;
			item.blob = blob;
			const about = { name: printable(seed.name), length: seed.length, have: seed.length };
			const is = { state: 'complete', rate: 0, canSave: true, reason: undefined } as const;
			this.#update(item, { ...about, ...is, ms });
			// What was complete when the page was opened has been saved already, or not wanted.
			if (kept < seed.length || seed.length === 0) {
				this.save(id);
			}
		} catch (error) {
			this.#failed(item, error);
		}
	}

	/** Makes the seed of a file and serves it until the page is closed. */
	async share(file: File): Promise<void> {
		this.#drafts += 1;
		const draft = `draft-${this.#drafts}`;
		const about = { length: file.size, isShare: true };
		const item = this.#put(draft, file.name, { ...about, state: 'waiting' });
		const { signal } = item.stop;
		try {
			const node = await this.#joined();
			const onBytes = (have: number): void => this.#update(item, { state: 'hashing', have });
			const seed = await node.share(file, { onBytes, signal });
			this.#items.delete(draft);
			this.#put(seed.id, file.name, { ...about, state: 'sharing', have: seed.length });
		} catch (error) {
			if (isShoalError(error, 'ERR_EXISTS')) {
				// It is on the page already, and served.
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

	/** Ends a download or a share, and forgets what there is of it. */
	remove(id: string): void {
		const item = this.#items.get(id);
		if (item === undefined) {
			return;
		}
		item.stop.abort();
		this.#items.delete(id);
		this.#sendTransfers();
		const leaving = this.#end(id, item).finally(() => this.#leaving.delete(id));
		this.#leaving.set(id, leaving);
	}

	async #end(id: string, { ended, transfer }: Item): Promise<void> {
		await ended;
		const node = await this.#node?.catch(() => undefined);
		node?.drop(id);
		// What another tab has is not ours to remove.
		if (!transfer.isElsewhere && !transfer.isShare && (await hasFiles())) {
			await forget(id);
		}
	}

	/** The node of this page; the first time it becomes one. */
	#joined(): Promise<BrowserNode> {
		this.#node ??= BrowserNode.start({
			...this.#access,
			onBroken: (id, error) => {
				const item = this.#items.get(id);
				if (item !== undefined) {
					this.#failed(item, error);
				}
			},
		});
		this.#node.catch(() => {
			this.#node = undefined;
		});
		return this.#node;
	}

	#put(
		id: string,
		name: string,
		change: Partial<OwnTransfer> & Pick<OwnTransfer, 'length' | 'state'>,
	): Item {
		const none = { have: 0, rate: 0, sources: 0, canSave: false };
		const kind = { isShare: false, isElsewhere: false };
		const item: Item = {
			transfer: { id, name: printable(name), ...none, ...kind, ...change },
			name,
			blob: undefined,
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
			const isElsewhere = isShoalError(error, 'ERR_EXISTS');
			this.#update(item, { state: 'failed', rate: 0, isElsewhere, reason: reasonOf(error) });
		}
	}

	#sendTransfers(): void {
		this.#send({
			event: 'transfers',
			transfers: [...this.#items.values()].map(({ transfer }) => transfer),
		});
	}

	#draw(): void {
		if (this.#view.view !== 'none') {
			this.#send({ event: 'swarm', swarm: this.#swarm.snapshot(this.#view) });
		}
	}
}

function progressOf({ phase, name, have, length, rate, sources }: Progress): Partial<OwnTransfer> {
	const about = name === undefined ? {} : { name: printable(name), length };
	return { ...about, state: phase, have, rate, sources };
}
