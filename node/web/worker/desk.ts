import {
	isShoalError,
	makeNodeId,
	parseSeedId,
	printable,
	ShoalError,
} from '../../../protocol/index.ts';
import type { Progress } from '../../download-options.ts';
import type { Look, Mine, News } from '../messages.ts';
import { BrowserNode, WebLink } from './browser-node.ts';
import { makeSeed } from './make-seed.ts';
import { openMemory } from './memory-backing.ts';
import { forget, hasFiles, keptContents, openFile } from './opfs-backing.ts';
import { SwarmFeed } from './swarm-feed.ts';
import { WebTarget } from './web-target.ts';

/** A download or a share, and what can be done with it. */
interface Item {
	mine: Mine;
	blob: Blob | undefined;
	readonly stop: AbortController;
	/** Settled when a download has ended and given its files back. */
	ended: Promise<unknown>;
}

/** ms between two pictures, and between two tries to reach the broker for the first time. */
const DRAW_EVERY = 500;
const TRY_EVERY = 2_000;

/** All that goes on behind a page: it watches the swarm, and is a node once something is to be got or shared. */
export class Desk {
	readonly #tell: (news: News) => void;
	readonly #feed = new SwarmFeed();
	readonly #items = new Map<string, Item>();
	#broker = { url: '', token: '' };
	#look: Look = { view: 'none' };
	#node: Promise<BrowserNode> | undefined;
	#hashes = 0;

	constructor(tell: (news: News) => void) {
		this.#tell = tell;
		setInterval(() => this.#feed.tick(), 1_000);
		setInterval(() => this.#draw(), DRAW_EVERY);
	}

	/** Watches a broker, and takes up what an earlier page has left. */
	async open(url: string, token: string): Promise<void> {
		this.#broker = { url, token };
		await this.#watch();
		if (hasFiles()) {
			for (const { id, name, length } of await keptContents()) {
				this.#put(id, { id, name: printable(name), length, state: 'waiting', ...NOTHING });
				void this.get(id, printable(name));
			}
		}
	}

	/** The page shows something else. */
	look(at: Look): void {
		this.#look = at;
		this.#draw();
	}

	/**
	 * Downloads a seed, or goes on with it; and serves it until the page is closed.
	 *
	 * @param name what it is called until the seed is known
	 */
	async get(id: string, name: string | undefined): Promise<void> {
		const known = this.#items.get(id)?.mine;
		if (known !== undefined && known.state !== 'failed' && known.state !== 'waiting') {
			return;
		}
		const item = this.#put(id, {
			...{ id, name: name ?? id.slice(0, 12), length: known?.length ?? 0, state: 'finding' },
			...NOTHING,
		});
		const target = new WebTarget(hasFiles() ? openFile : openMemory);
		try {
			const node = await this.#joined();
			const getting = node.get({ id: parseSeedId(id) }, target, {
				wait: true,
				signal: item.stop.signal,
				onProgress: (progress) => this.#update(item, progressOf(progress)),
			});
			item.ended = getting.catch(() => {});
			const result = await getting;
			const { seed, ms } = result;
			item.blob = target.blob;
			const about = { name: printable(seed.name), length: seed.length, have: seed.length };
			this.#update(item, { ...about, ms, state: 'complete', rate: 0, canSave: true });
			// What was complete when the page was opened has been saved already, or not wanted.
			if (result.kept < seed.length) {
				this.save(id);
			}
		} catch (error) {
			this.#failed(item, error);
		}
	}

	/** Makes the seed of a file and serves it until the page is closed. */
	async share(file: File): Promise<void> {
		this.#hashes += 1;
		const draft = `hashing-${this.#hashes}`;
		const name = printable(file.name);
		const about = { name, length: file.size };
		const item = this.#put(draft, { id: draft, ...about, state: 'hashing', ...NOTHING });
		try {
			const { signal } = item.stop;
			const seed = await makeSeed(file, (have) => this.#update(item, { have }), signal);
			this.#items.delete(draft);
			const node = await this.#joined();
			await node.share(seed, file);
			const { id } = seed;
			this.#put(id, { id, ...about, ...NOTHING, state: 'sharing', have: seed.length });
		} catch (error) {
			if (!item.stop.signal.aborted) {
				this.#items.set(draft, item);
				this.#failed(item, error);
			}
		}
	}

	/** Hands a finished download to the page, to be saved. */
	save(id: string): void {
		const item = this.#items.get(id);
		if (item?.blob !== undefined) {
			this.#tell({ tell: 'file', name: item.mine.name, blob: item.blob });
		}
	}

	/** Ends a download or a share, and forgets what there is of it. */
	async remove(id: string): Promise<void> {
		const item = this.#items.get(id);
		item?.stop.abort();
		this.#items.delete(id);
		this.#tellMine();
		await item?.ended;
		(await this.#node)?.drop(id);
		if (hasFiles()) {
			await forget(id);
		}
	}

	async #watch(): Promise<void> {
		this.#tell({ tell: 'link', link: { state: 'opening' } });
		const { url, token } = this.#broker;
		try {
			const link = await WebLink.open({ url, id: makeNodeId(), password: `${token}:` });
			// What cannot be read ends in the link.
			link.on('message', ({ topic, payload }) => this.#feed.apply(topic, payload));
			link.on('down', ({ message }) => {
				this.#feed.clear();
				this.#tell({ tell: 'link', link: { state: 'down', reason: message } });
			});
			link.on('up', () => this.#tell({ tell: 'link', link: { state: 'up' } }));
			for (const filter of this.#feed.topics.watchFilters()) {
				await link.subscribe(filter);
			}
			this.#tell({ tell: 'link', link: { state: 'up' } });
		} catch (error) {
			const isRefused = isShoalError(error, 'ERR_REFUSED');
			const state = isRefused ? 'refused' : 'down';
			this.#tell({ tell: 'link', link: { state, reason: reasonOf(error) } });
			if (!isRefused) {
				await new Promise((resolve) => setTimeout(resolve, TRY_EVERY));
				await this.#watch();
			}
		}
	}

	/** The node of this page; the first time it becomes one. */
	#joined(): Promise<BrowserNode> {
		this.#node ??= BrowserNode.start({
			...this.#broker,
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

	#put(key: string, mine: Mine): Item {
		const item = {
			mine,
			blob: undefined,
			stop: new AbortController(),
			ended: Promise.resolve(),
		};
		this.#items.set(key, item);
		this.#tellMine();
		return item;
	}

	#update(item: Item, change: Partial<Mine>): void {
		item.mine = { ...item.mine, ...change };
		this.#tellMine();
	}

	#failed(item: Item, error: unknown): void {
		if (!item.stop.signal.aborted) {
			this.#update(item, { state: 'failed', rate: 0, reason: reasonOf(error) });
		}
	}

	#tellMine(): void {
		this.#tell({ tell: 'mine', mine: [...this.#items.values()].map(({ mine }) => mine) });
	}

	#draw(): void {
		if (this.#look.view !== 'none') {
			this.#tell({ tell: 'picture', picture: this.#feed.picture(this.#look) });
		}
	}
}

const NOTHING = { have: 0, rate: 0, sources: 0, canSave: false } as const;

function progressOf({ phase, name, have, length, rate, sources }: Progress): Partial<Mine> {
	const about = name === undefined ? {} : { name: printable(name), length };
	return { ...about, state: phase, have, rate, sources };
}

function reasonOf(error: unknown): string {
	return error instanceof ShoalError ? error.message : String(error);
}
