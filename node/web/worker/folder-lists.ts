import type { FolderEntry } from '../../../protocol/index.ts';
import type { FolderState, WorkerEvent } from '../messages.ts';
import type { OwnTransfers } from './own-transfers.ts';
import { reasonOf } from './reason.ts';

/** Maximum number of lists that are kept. */
const MOST_KEPT = 20;

/** The lists of the files of folders, as the page shows them. */
export class FolderLists {
	readonly #send: (event: WorkerEvent) => void;
	readonly #items: OwnTransfers;
	/** The entries of folders, by seed id, the oldest first. */
	readonly #known = new Map<string, readonly FolderEntry[]>();

	constructor(send: (event: WorkerEvent) => void, items: OwnTransfers) {
		this.#send = send;
		this.#items = items;
	}

	/** Shows the list of a folder. @param fetch fetches it if it is not known */
	async show(id: string, fetch: () => Promise<readonly FolderEntry[]>): Promise<void> {
		if (this.#known.has(id)) {
			this.update(id);
			return;
		}
		this.#tell(id, { state: 'opening' });
		try {
			this.#known.set(id, await fetch());
			const [oldest] = this.#known.keys();
			if (this.#known.size > MOST_KEPT) {
				this.#known.delete(oldest as string);
			}
			this.update(id);
		} catch (error) {
			this.#tell(id, { state: 'failed', reason: reasonOf(error) });
		}
	}

	/** Shows which files of a folder are wanted, if its list is shown. */
	update(id: string): void {
		const entries = this.#known.get(id);
		if (entries !== undefined) {
			this.#tell(id, {
				state: 'open',
				paths: entries.map(({ path }) => path).join('\n'),
				kinds: entries.map(({ kind }) => kind),
				lengths: entries.map(({ length }) => length),
				wanted: this.#wanted(id, entries),
			});
		}
	}

	#wanted(id: string, entries: readonly FolderEntry[]): 'all' | Uint8Array {
		const item = this.#items.get(id);
		if (item !== undefined && item.paths === undefined) {
			return 'all';
		}
		return Uint8Array.from(entries, ({ path }) => (item?.paths?.has(path) ? 1 : 0));
	}

	#tell(id: string, folder: FolderState): void {
		this.#send({ event: 'folder', id, folder });
	}
}
