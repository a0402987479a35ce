import type { ChannelsSnapshot } from '../channel-messages.ts';
import type {
	FolderState,
	LinkState,
	OwnTransfer,
	SwarmSnapshot,
	WorkerCommand,
	WorkerEvent,
} from '../messages.ts';

/** The state that the views show. */
export interface PageState {
	readonly link: LinkState;
	readonly swarm: SwarmSnapshot | undefined;
	readonly transfers: readonly OwnTransfer[];
	/** The lists of the files of folders, as far as they were asked for, by seed id. */
	readonly folders: ReadonlyMap<string, FolderState>;
	/** The channels; undefined until the page has shown them. */
	readonly channels: ChannelsSnapshot | undefined;
	/** Whether downloads survive a reload. */
	readonly keeps: boolean;
}

/** The worker that runs the node, and the latest state it has sent. */
export class WorkerClient {
	readonly #worker = new Worker(new URL('../worker/main.ts', import.meta.url), { type: 'module' });
	readonly #changed: (state: PageState) => void;
	readonly #file: (name: string, blob: Blob) => void;
	#page: PageState = {
		link: { state: 'opening', hasTracker: false },
		swarm: undefined,
		channels: undefined,
		transfers: [],
		folders: new Map(),
		keeps: true,
	};

	/**
	 * @param changed called with each new state
	 * @param file called with a download that is to be saved
	 */
	constructor(changed: (state: PageState) => void, file: (name: string, blob: Blob) => void) {
		this.#changed = changed;
		this.#file = file;
		this.#worker.addEventListener('message', ({ data }: MessageEvent<WorkerEvent>) =>
			this.#onEvent(data),
		);
		this.#worker.addEventListener('error', () => {
			const reason = 'A script of this page is missing: load it again.';
			this.#onEvent({ event: 'link', link: { state: 'broken', reason, hasTracker: false } });
		});
	}

	/** The latest state. */
	get state(): PageState {
		return this.#page;
	}

	/** Sends a command to the worker. */
	send(command: WorkerCommand): void {
		this.#worker.postMessage(command);
	}

	/** Ends the worker, and the node with it. */
	close(): void {
		this.#worker.terminate();
	}

	#onEvent(event: WorkerEvent): void {
		if (event.event === 'file') {
			this.#file(event.name, event.blob);
			return;
		}
		if (event.event === 'folder') {
			const folders = new Map(this.#page.folders).set(event.id, event.folder);
			this.#page = { ...this.#page, folders };
			this.#changed(this.#page);
			return;
		}
		const { event: _, ...change } = event;
		this.#page = { ...this.#page, ...change };
		this.#changed(this.#page);
	}
}
