import type { Progress } from '../../download/download-types.ts';
import { type ProgressView, showDownload } from './progress-view.ts';

/** Shows several downloads as one. */
export class SeveralDownloads {
	readonly #view: Pick<ProgressView, 'show'>;
	readonly #count: number;
	readonly #waits: boolean;
	/** The progress of each seed whose download has not failed. */
	readonly #all = new Map<string, Progress>();
	#failed = 0;

	/**
	 * @param count number of downloads
	 * @param waits whether they wait until a node has the content
	 */
	constructor(view: Pick<ProgressView, 'show'>, count: number, waits: boolean) {
		this.#view = view;
		this.#count = count;
		this.#waits = waits;
	}

	/** Takes the progress of one download, and shows that of all. */
	show(progress: Progress): void {
		this.#all.set(progress.id, progress);
		this.#draw(progress);
	}

	/**
	 * A download has failed, so its bytes do not count any more.
	 *
	 * @param id seed id; undefined if the download has told no progress
	 */
	failed(id: string | undefined): void {
		this.#failed += 1;
		if (id !== undefined) {
			this.#all.delete(id);
		}
		const [other] = this.#all.values();
		if (other !== undefined) {
			this.#draw(other);
		}
	}

	/** @param latest the progress whose rate and lanes are shown */
	#draw(latest: Progress): void {
		const all = [...this.#all.values()];
		const sumOf = (of: (progress: Progress) => number): number =>
			all.reduce((total, each) => total + of(each), 0);
		const [have, length] = [sumOf((each) => each.have), sumOf((each) => each.length)];
		const sources = Math.max(...all.map((each) => each.sources));
		const running = all.filter(
			(each) => each.phase !== 'verifying' && (each.length === 0 || each.have < each.length),
		);
		const [first] = running;
		const waitsFor = running.every((each) => each.waitsFor) ? first?.waitsFor : undefined;
		const phase = phaseOf(running, length > 0);
		const sum = { phase, have, length, sources, waitsFor, files: undefined };
		const failed = this.#failed === 0 ? '' : `, ${this.#failed} failed`;
		const title = `${this.#count} downloads${failed}`;
		showDownload(this.#view, { ...latest, ...sum }, this.#waits, title);
	}
}

/** The phase that is shown of downloads: that of the first one, while they differ and no length is known. */
function phaseOf(running: readonly Progress[], hasLength: boolean): Progress['phase'] {
	const phase = running[0]?.phase ?? 'verifying';
	const isOfAll = running.every((each) => each.phase === phase);
	return isOfAll || !hasLength ? phase : 'fetching';
}
