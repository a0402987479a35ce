import { isShoalError, type Seed, safeFileName } from '../../../protocol/index.ts';
import type { LocalFolder } from '../local-folder.ts';
import type {
	OwnTransfer,
	PageAccess,
	ViewQuery,
	WorkerCommand,
	WorkerEvent,
} from '../messages.ts';
import type { BrowserNode } from './browser-node.ts';
import { unlessElsewhere, whenFree, whileChanging } from './content-locks.ts';
import { FolderLists } from './folder-lists.ts';
import { forget, keepStopped, keptContent, keptContents } from './kept-contents.ts';
import type { MakeSeedOptions } from './make-seed.ts';
import { hasFiles } from './opfs-files.ts';
import { type Item, OwnTransfers } from './own-transfers.ts';
import { PageChannels } from './page-channels.ts';
import { PageNode } from './page-node.ts';
import { reasonOf } from './reason.ts';
import type { SaveEvents } from './save-folder.ts';
import { savedName } from './saved-name.ts';
import { SwarmMonitor } from './swarm-monitor.ts';
import { completeOf, isOver, progressOf } from './transfer-states.ts';
import { isMore, pathsAfter, pathsOf } from './wanted-paths.ts';
import { type Connection, watchSwarm } from './watch-swarm.ts';
import type { WebLink } from './web-link.ts';

/** ms between two snapshots of the swarm that are sent to the page. */
const DRAW_EVERY = 500;
/** ms within which a tab that was reloaded resumes its downloads. */
const RETURN_WITHIN = 1_500;

/**
 * The work behind a page: it watches the swarm, and starts a node when the user first downloads or
 * shares something.
 */
export class PageSession {
	/** The channels that the page watches. */
	readonly channels: PageChannels;
	readonly #send: (event: WorkerEvent) => void;
	readonly #swarm = new SwarmMonitor();
	readonly #items: OwnTransfers;
	readonly #lists: FolderLists;
	/** The stops and removals under way, by seed id. */
	readonly #leaving = new Map<string, Promise<void>>();
	readonly #node: PageNode;
	#connection: Connection = { state: 'opening' };
	#hadTracker = false;
	#view: ViewQuery = { view: 'none' };
	#watching: WebLink | undefined;
	#drafts = 0;

	constructor(send: (event: WorkerEvent) => void) {
		this.#send = send;
		this.#items = new OwnTransfers(send);
		this.#lists = new FolderLists(send, this.#items);
		this.channels = new PageChannels(send, this.#swarm);
		this.#node = new PageNode((id, error) => {
			const item = this.#items.get(id);
			if (item !== undefined) {
				this.#items.failed(item, error);
			}
		});
		setInterval(() => this.#swarm.tick(), 1_000);
		setInterval(() => this.#draw(), DRAW_EVERY);
	}

	/** Watches a broker, and resumes the downloads that an earlier page has left. */
	async open(access: PageAccess): Promise<void> {
		this.#node.access = access;
		const keeps = await hasFiles();
		this.#send({ event: 'keeps', keeps });
		this.#watching = await watchSwarm(access, this.#swarm, (connection) => {
			this.#connection = connection;
			this.#sendLink();
		});
		if (this.#watching !== undefined) {
			this.channels.accepted(access);
		}
		if (keeps && access.canAct) {
			for (const { id, name, isStopped, paths, ...about } of await keptContents()) {
				const state = isStopped ? 'stopped' : 'waiting';
				const { length, have, isFolder } = about;
				const known = { length, have, isFolder, files: paths?.length, state } as const;
				const item = this.#items.put(id, name, known, paths && new Set(paths));
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
	 * @param files as in {@link WorkerCommand}
	 */
	async get(id: string, name: string, files?: 'all' | readonly string[]): Promise<void> {
		const before = this.#items.get(id);
		const paths = pathsOf(before, files);
		if (before !== undefined && !isOver(before) && !isMore(before.paths, paths)) {
			return;
		}
		const { length = 0, have = 0, isFolder = false } = before?.transfer ?? {};
		const item = this.#items.put(id, name, { length, have, isFolder, state: 'waiting' }, paths);
		item.isAsked = true;
		// A file that is asked for by itself is saved when it is complete. So are the files that
		// were asked for in this way before, and have not come yet.
		const coming = before === undefined || before.got !== undefined ? [] : before.toSave;
		const asked = Array.isArray(files) && files.length === 1 ? [...coming, ...files] : coming;
		item.toSave = asked.filter((path) => paths?.has(path) ?? true);
		this.#lists.update(id);
		if (before !== undefined) {
			before.stop.abort();
			await Promise.all([before.ended, before.saved]);
		}
		await this.#fetch(item);
	}

	/** Shows the list of the files of a folder. */
	async list(id: string): Promise<void> {
		await this.#lists.show(id, async () => {
			const node = await this.#node.reached(new AbortController().signal);
			return (await node.list(id)).entries;
		});
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
			const node = await this.#node.reached(signal);
			signal.throwIfAborted();
			const getting = node.get(id, {
				wait: true,
				signal,
				paths: item.paths && [...item.paths],
				onProgress: (progress) => this.#items.update(item, progressOf(progress)),
			});
			item.ended = getting.catch(() => {});
			const got = await getting;
			const { length, kept } = got;
			item.got = got;
			item.name = got.seed.name;
			this.#items.update(item, completeOf(got));
			this.#lists.update(id);
			// Without files to save, a download is saved only if this page has fetched some of it.
			if (item.toSave.length > 0) {
				for (const path of item.toSave) {
					this.save(id, path);
				}
			} else if (kept < length || length === 0) {
				this.save(id);
			}
		} catch (error) {
			if (isShoalError(error, 'ERR_EXISTS') && this.#items.isShown(item) && (await hasFiles())) {
				await this.#waitForOtherTab(item);
			} else {
				this.#items.failed(item, error);
			}
		}
	}

	/**
	 * Waits until the other tab that has the content is closed or releases it, and then goes on with
	 * the chunks that are stored.
	 */
	async #waitForOtherTab(item: Item): Promise<void> {
		const { id } = item.transfer;
		this.#items.update(item, { state: 'elsewhere', rate: 0, sources: 0 });
		try {
			await whenFree(id, item.stop.signal);
			// Perhaps the other tab is only being reloaded: then the download goes on there.
			await new Promise((resolve) => setTimeout(resolve, RETURN_WITHIN));
			await whenFree(id, item.stop.signal);
			const kept = await keptContent(id);
			if (!this.#items.isShown(item)) {
				return;
			}
			item.paths = pathsAfter(item, kept);
			this.#items.update(item, { isPartial: item.paths !== undefined });
			if (kept === undefined && !item.isAsked) {
				this.#items.remove(id);
			} else if (kept?.isStopped) {
				this.#items.update(item, { state: 'stopped', have: kept.have, length: kept.length });
			} else {
				this.#items.update(item, { state: 'waiting' });
				await this.#fetch(item);
			}
		} catch (error) {
			this.#items.failed(item, error);
		}
	}

	/** Makes the seed of a file, and shares the file until the page is closed. */
	async share(file: File): Promise<void> {
		const about = { length: file.size, isFolder: false };
		await this.#share(file.name, about, (node, options) => node.share(file, options));
	}

	/** Makes the seed of a folder, and shares the folder until the page is closed. */
	async shareFolder(folder: LocalFolder): Promise<void> {
		const length = folder.files.reduce((sum, [, { size }]) => sum + size, 0);
		const about = { length, isFolder: true, files: folder.files.length };
		await this.#share(folder.name, about, (node, options) => node.shareFolder(folder, options));
	}

	async #share(
		name: string,
		facts: Pick<OwnTransfer, 'length' | 'isFolder' | 'files'>,
		share: (node: BrowserNode, options: MakeSeedOptions) => Promise<Seed>,
	): Promise<void> {
		this.#drafts += 1;
		const draft = `draft-${this.#drafts}`;
		const about = { ...facts, isShare: true };
		const item = this.#items.put(draft, name, { ...about, state: 'waiting' });
		const { signal } = item.stop;
		try {
			const node = await this.#node.reached(signal);
			const onBytes = (have: number): void => {
				this.#items.update(item, { state: 'hashing', have });
			};
			const { id, length } = await share(node, { onBytes, signal });
			this.#items.remove(draft);
			this.#items.put(id, name, { ...about, length, state: 'sharing', have: length });
			this.#lists.update(id);
		} catch (error) {
			if (isShoalError(error, 'ERR_EXISTS')) {
				// The content is on the page already, and is shared.
				this.#items.remove(draft);
			} else {
				this.#items.failed(item, error);
			}
		}
	}

	/**
	 * Hands a finished download to the page, to be saved.
	 *
	 * @param path the path of a file of a folder; undefined: the only file that was downloaded
	 */
	save(id: string, path?: string): void {
		const item = this.#items.get(id);
		const folder = item?.got?.folder;
		if (item?.got === undefined) {
			return;
		}
		if (folder === undefined) {
			this.#send({ event: 'file', name: safeFileName(item.name), blob: item.got.blob });
			return;
		}
		const [only] = item.paths?.size === 1 ? item.paths : [];
		const chosen = path ?? only;
		if (chosen !== undefined) {
			this.#send({ event: 'file', name: savedName(chosen), blob: folder.file(chosen) });
		}
	}

	/** Saves a folder as a zip archive, or as a folder of the machine. */
	saveFolder(command: Extract<WorkerCommand, { do: 'zip' | 'unpack' }>): void {
		const item = this.#items.get(command.id);
		const folder = item?.got?.folder;
		if (item !== undefined && folder !== undefined) {
			const events: SaveEvents = {
				changed: (saving) => this.#items.update(item, { saving }),
				file: (name, blob) => this.#send({ event: 'file', name, blob }),
			};
			item.saved = import('./save-folder.ts')
				.then(({ saveFolder }) => saveFolder(item.name, folder, command, events))
				.catch((error) => events.changed({ state: 'failed', reason: reasonOf(error) }));
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
		const { length, have, isFolder } = item.transfer;
		const about = { length, have, isFolder, files: item.transfer.files };
		const stopped = this.#items.put(id, item.name, { ...about, state: 'stopped' }, item.paths);
		stopped.toSave = item.toSave;
		this.#leave(id, async (keeps) => {
			await item.ended;
			const kept = keeps ? await unlessElsewhere(id, () => keepStopped(id)) : undefined;
			if (kept !== undefined && this.#items.isShown(stopped)) {
				// More chunks may be stored than were checked before the stop.
				this.#items.update(stopped, { have: kept.have });
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
		this.#items.remove(id);
		this.#lists.update(id);
		const { state, isShare } = item.transfer;
		this.#leave(id, async (keeps) => {
			await item.ended;
			await this.#node.drop(id);
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
			this.#node.started?.suspend();
			this.#watching?.drop();
			this.channels.suspend();
		} else {
			this.#node.started?.leave();
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
		this.channels.draw(this.#view);
	}
}
