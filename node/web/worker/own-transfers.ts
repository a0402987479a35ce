import { printable } from '../../../protocol/index.ts';
import type { OwnTransfer, WorkerEvent } from '../messages.ts';
import type { BrowserDownload } from './browser-node.ts';
import { reasonOf } from './reason.ts';

/** A download or a share of the page, with its content, and with the controller that stops it. */
export interface Item {
	transfer: OwnTransfer;
	/** The name as it was shared; the name in `transfer` is the form for display. */
	name: string;
	/** The download, once it is complete. */
	got: BrowserDownload | undefined;
	/** Whether the user requested it on this page; if not, an earlier page has left it. */
	isAsked: boolean;
	/** The paths of the wanted files of a folder; undefined: all. */
	paths: ReadonlySet<string> | undefined;
	/** The paths of files of a folder that are saved when the download is complete. */
	toSave: readonly string[];
	readonly stop: AbortController;
	/** Settles when a download has ended and has released its files. */
	ended: Promise<unknown>;
	/** Settles when the folder is saved. */
	saved: Promise<unknown>;
}

/** The facts of a new item. */
export type NewItem = Partial<OwnTransfer> & Pick<OwnTransfer, 'length' | 'state'>;

/** The downloads and shares of a page, which is told each change. */
export class OwnTransfers {
	readonly #send: (event: WorkerEvent) => void;
	readonly #items = new Map<string, Item>();

	constructor(send: (event: WorkerEvent) => void) {
		this.#send = send;
	}

	/** The item with a seed id, or with the id of a draft. */
	get(id: string): Item | undefined {
		return this.#items.get(id);
	}

	/**
	 * Whether `item` is still the item with its id: it was not stopped, removed, or replaced by a
	 * share of this page.
	 */
	isShown(item: Item): boolean {
		return this.#items.get(item.transfer.id) === item;
	}

	/** Adds an item, or replaces the one with its id. */
	put(id: string, name: string, about: NewItem, paths?: ReadonlySet<string>): Item {
		const none = { have: 0, rate: 0, sources: 0, canSave: false, isShare: false, isFolder: false };
		const isPartial = paths !== undefined;
		const item: Item = {
			transfer: { id, name: printable(name), ...none, isPartial, ...about },
			name,
			got: undefined,
			isAsked: false,
			paths,
			toSave: [],
			stop: new AbortController(),
			ended: Promise.resolve(),
			saved: Promise.resolve(),
		};
		this.#items.set(id, item);
		this.#tell();
		return item;
	}

	/** Changes what the page shows of an item. */
	update(item: Item, change: Partial<OwnTransfer>): void {
		item.transfer = { ...item.transfer, ...change };
		this.#tell();
	}

	/** Shows why an item has failed, unless it was stopped. */
	failed(item: Item, error: unknown): void {
		if (!item.stop.signal.aborted) {
			this.update(item, { state: 'failed', rate: 0, reason: reasonOf(error) });
		}
	}

	/** Removes the item with an id. */
	remove(id: string): void {
		this.#items.delete(id);
		this.#tell();
	}

	#tell(): void {
		const transfers = [...this.#items.values()].map(({ transfer }) => transfer);
		this.#send({ event: 'transfers', transfers });
	}
}
