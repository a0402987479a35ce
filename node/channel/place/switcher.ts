import { type BigIntStats, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { dirname } from 'node:path/posix';
import { besideName } from '../../download/target/part-paths.ts';
import { EntryStamps } from '../../storage/folder/entry-stamps.ts';
import { syncFolders } from '../../storage/folder/sync-all.ts';
import { fsError } from '../../storage/fs-error.ts';
import { pause } from './pause.ts';
import { type SetAside, SetAsideLog } from './set-aside-log.ts';
import {
	type Action,
	actionOf,
	type Found,
	keptPaths,
	type Step,
	stepsOf,
} from './switch-steps.ts';
import { TreeEditor } from './tree-editor.ts';
import type { VersionRecord } from './version-record.ts';

/**
 * Most actions of one step. More of them mean that other programs put something to the path again
 * and again.
 */
const MOST_ACTIONS = 10;

/** The result of a switch. */
export interface Switched {
	/** The stamps of the entries that are in the folder as the next version has them. */
	readonly stamps: EntryStamps;
	/** Paths of what people had changed or added and that was kept. */
	readonly kept: readonly string[];
}

/** The folders of a switch. */
export interface SwitchPlace {
	/** Path of the followed folder, without symbolic links. */
	readonly root: string;
	/** Path of its own folder. */
	readonly own: string;
}

/**
 * Switches a folder from one version to the next, entry by entry. It can be run again after it
 * was interrupted at any moment, with the same records.
 */
export class Switcher {
	readonly #place: SwitchPlace;
	readonly #next: VersionRecord;
	readonly #older: EntryStamps;
	/** The numbers of the entries, by path. */
	readonly #olderAt: ReadonlyMap<string, number>;
	readonly #nextAt: ReadonlyMap<string, number>;
	/** The steps, except those of files that were in the folder when the switch began. */
	readonly #changing: readonly Step[];
	readonly #editor: TreeEditor;
	readonly #log: SetAsideLog;
	readonly #changed = new Set<string>();
	readonly #aside: SetAside[] = [];
	readonly #stamps: EntryStamps;

	/**
	 * @param older the record of the version that is there; undefined: none
	 * @param next the record of the next version, with the stamps of what is staged
	 */
	constructor(place: SwitchPlace, older: VersionRecord | undefined, next: VersionRecord) {
		const olderEntries = older?.entries ?? [];
		this.#place = place;
		this.#next = next;
		this.#older = older?.stamps ?? new EntryStamps(0);
		this.#olderAt = new Map(olderEntries.map(({ path }, number) => [path, number]));
		this.#nextAt = new Map(next.entries.map(({ path }, number) => [path, number]));
		this.#changing = stepsOf(olderEntries, next.entries).filter((step) => {
			return step.do !== 'put' || this.#wasStaged(step);
		});
		this.#editor = new TreeEditor(place.root);
		this.#log = new SetAsideLog(join(place.own, 'set-aside'));
		this.#stamps = new EntryStamps(next.entries.length);
	}

	/**
	 * Does all steps that are not done yet, and syncs their folders.
	 *
	 * @throws ShoalError ERR_PERMISSION, ERR_NO_SPACE, ERR_IO: the switch has to be run again
	 */
	async run(): Promise<Switched> {
		try {
			for (const aside of await this.#log.read()) {
				if (this.#look(aside[1]) !== undefined) {
					this.#aside.push(aside);
				}
			}
			for (const [at, step] of this.#changing.entries()) {
				await this.#do(step);
				await pause(at);
			}
			await this.#sync();
			await this.#takeStamps();
		} finally {
			this.#editor.close();
		}
		return { stamps: this.#stamps, kept: keptPaths(this.#changed, this.#aside) };
	}

	/** The existing folders in which the steps change entries; '.' is the root. */
	async folders(): Promise<string[]> {
		const folders = new Set<string>();
		const known = new Map<string, string>();
		try {
			for (const [at, step] of this.#changing.entries()) {
				await pause(at);
				if (this.#actionOf(step) !== 'none') {
					folders.add(this.#nearest(dirname(step.path), known));
				}
			}
		} finally {
			this.#editor.close();
		}
		return [...folders];
	}

	/** The path itself, or the nearest folder above it that exists. */
	#nearest(path: string, known: Map<string, string>): string {
		const found = known.get(path);
		if (found !== undefined || path === '.') {
			return found ?? path;
		}
		const isThere = this.#look(path)?.isDirectory() === true;
		const nearest = isThere ? path : this.#nearest(dirname(path), known);
		known.set(path, nearest);
		return nearest;
	}

	async #do(step: Step): Promise<void> {
		for (let count = 0; count < MOST_ACTIONS; count += 1) {
			const action = this.#actionOf(step);
			if (action === 'set-aside') {
				await this.#setAside(step.path);
			} else if (this.#act(step, action)) {
				return;
			}
		}
		throw fsError({ code: 'EFOREIGN' }, this.#full(step.path));
	}

	/** @returns whether the step is done */
	#act(step: Step, action: Exclude<Action, 'set-aside'>): boolean {
		const { path } = step;
		return this.#onPath(path, () => {
			switch (action) {
				case 'none':
					return true;
				case 'keep':
					this.#changed.add(path);
					return true;
				case 'remove':
					this.#editor.remove(path);
					return step.do === 'remove';
				case 'remove-folder':
					this.#editor.removeFolder(path);
					return true;
				case 'make':
					this.#editor.makeFolder(path);
					return true;
				case 'put':
					this.#editor.put(this.#stagedPath(path), path);
					return true;
			}
		});
	}

	/** The action for a step, decided by the present state of its path. @throws ShoalError */
	#actionOf(step: Step): Action {
		const found = this.#found(step.path, this.#look(step.path));
		return actionOf(step, found, this.#isStaged(step));
	}

	/** Whether the entry of a step is in the staging folder, and so was not put yet. */
	#isStaged(step: Step): boolean {
		return (
			this.#wasStaged(step) &&
			this.#onPath(step.path, () => {
				const stats = lstatSync(this.#stagedPath(step.path), { throwIfNoEntry: false });
				return stats !== undefined;
			})
		);
	}

	/** Whether the entry of a step was in the staging folder when the switch began. */
	#wasStaged(step: Step): boolean {
		return step.do === 'put' && this.#next.staged?.has(step.entry) === true;
	}

	#stagedPath(path: string): string {
		return join(this.#place.own, this.#next.stagedAt ?? '', path);
	}

	#found(path: string, stats: BigIntStats | undefined): Found {
		if (stats === undefined) {
			return 'nothing';
		}
		if (stats.isDirectory()) {
			return 'folder';
		}
		const next = this.#nextAt.get(path);
		if (next !== undefined && this.#isNext(next, stats)) {
			return 'next';
		}
		const older = this.#olderAt.get(path);
		return older !== undefined && this.#older.isSame(older, stats) ? 'older' : 'other';
	}

	/** Whether this is the entry of the next version: it was right before, or was put there. */
	#isNext(entry: number, stats: BigIntStats): boolean {
		const { stamps, staged } = this.#next;
		return stamps.isSame(entry, stats) || staged?.hasSameBytes(entry, stats) === true;
	}

	/** Renames what is at a path to a new name beside it. @throws ShoalError */
	async #setAside(path: string): Promise<void> {
		const folder = dirname(path);
		const below = (name: string): string => (folder === '.' ? name : `${folder}/${name}`);
		const own = path.slice(path.lastIndexOf('/') + 1);
		for (let count = 1; ; count += 1) {
			const end = `.mine-${this.#next.version.seq}${count > 1 ? `-${count}` : ''}`;
			const name = besideName(own, end);
			const isFree = !this.#nextAt.has(below(name)) && this.#look(below(name)) === undefined;
			if (isFree) {
				const aside: SetAside = [path, below(name)];
				await this.#log.add(aside);
				// Since the line was written, the file may be gone, or the new name may be in use.
				if (this.#look(path) !== undefined && this.#look(below(name)) === undefined) {
					this.#onPath(path, () => this.#editor.rename(path, name));
					this.#aside.push(aside);
				}
				return;
			}
		}
	}

	/** @throws ShoalError */
	async #sync(): Promise<void> {
		const folders = new Set(this.#changing.map(({ path }) => this.#full(dirname(path))));
		await syncFolders(this.#place.root, [...folders]);
	}

	/**
	 * Takes the stamps of the entries that the folder has as in the next version. Other entries were
	 * changed since the switch began.
	 */
	async #takeStamps(): Promise<void> {
		for (const [number, { path, kind }] of this.#next.entries.entries()) {
			const stats = this.#look(path);
			const isRight = kind === 'd' ? stats?.isDirectory() : this.#found(path, stats) === 'next';
			if (stats !== undefined && isRight === true) {
				this.#stamps.set(number, stats);
			} else if (stats !== undefined) {
				this.#changed.add(path);
			}
			await pause(number);
		}
	}

	#look(path: string): BigIntStats | undefined {
		return this.#onPath(path, () => this.#editor.look(path));
	}

	#full(path: string): string {
		return join(this.#place.root, path);
	}

	#onPath<T>(path: string, operation: () => T): T {
		try {
			return operation();
		} catch (error) {
			throw fsError(error, this.#full(path));
		}
	}
}
