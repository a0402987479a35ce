import {
	appendFileSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Each thing that people make has a text of this form, which is in its bytes or its target. */
const MARK = /mine-[0-9]+-[0-9]+/;

/**
 * People who change a followed folder. The log says which marks must still be in the folder: `+` for
 * a mark that was made, after it was made; `-` for one that people remove themselves, before that; `!`
 * for a path that people remove, before that; `=` for the version that is about to be applied.
 */
export class People {
	readonly #dir: string;
	readonly #outside: string;
	readonly #log: string;
	readonly #temporary: string;
	readonly #random: () => number;
	#count = 0;

	/** @param root a folder that has the followed folder `dir` */
	constructor(root: string, random: () => number) {
		this.#dir = join(root, 'dir');
		this.#outside = join(root, 'outside');
		this.#log = join(root, 'log');
		this.#temporary = join(root, 'temporary');
		this.#random = random;
		mkdirSync(this.#outside, { recursive: true });
	}

	/** Makes one change, with synchronous calls. */
	change(): void {
		const paths = pathsIn(this.#dir);
		const mark = `mine-${process.pid}-${this.#count}`;
		this.#count += 1;
		const path = paths[Math.floor(this.#random() * paths.length)];
		if (path === undefined) {
			this.#write(join(this.#dir, mark), mark);
		} else {
			this.#changeAt(path, mark);
		}
		if (marksAt(this.#dir).has(mark)) {
			appendFileSync(this.#log, `+${mark}\n`);
		}
	}

	/** Notes that version `seq` is about to be applied. */
	sees(seq: number): void {
		appendFileSync(this.#log, `=${seq}\n`);
	}

	#changeAt(path: string, mark: string): void {
		const full = join(this.#dir, path);
		switch (Math.floor(this.#random() * 7)) {
			case 0:
				this.#replace(path);
				this.#write(full, mark);
				break;
			case 1:
				this.#replace(path);
				mkdirSync(full);
				this.#write(join(full, 'own'), mark);
				break;
			case 2:
				this.#replace(path);
				mkdirSync(join(this.#outside, mark));
				symlinkSync(join(this.#outside, mark), full);
				break;
			case 3:
				this.#replace(path);
				break;
			case 4:
				touch(full);
				break;
			case 5:
				this.#write(join(dirname(full), mark), mark);
				break;
			default:
				this.#changeFile(full, mark);
		}
	}

	/** Adds to a file, if it is one. */
	#changeFile(full: string, mark: string): void {
		if (lstatSync(full).isFile()) {
			appendFileSync(full, ` ${mark}`);
		} else {
			this.#write(join(this.#dir, mark), mark);
		}
	}

	/** Makes a file. This process may be killed meanwhile, so the file is not written in its place. */
	#write(full: string, mark: string): void {
		writeFileSync(this.#temporary, mark);
		renameSync(this.#temporary, full);
	}

	#replace(path: string): void {
		const full = join(this.#dir, path);
		const marks = marksAt(full);
		const lines = [...marks].map((mark) => `-${mark}\n`);
		appendFileSync(this.#log, [...lines, `!${path}\n`].join(''));
		rmSync(full, { recursive: true, force: true });
	}
}

/** The changes of people, as their log says. */
export interface PeoplesLog {
	/** The marks that people made and did not remove. */
	readonly marks: ReadonlySet<string>;
	/** The paths that people removed after `seq` was about to be applied for the last time. */
	removedSince(seq: number): ReadonlySet<string>;
}

export function readLog(root: string): PeoplesLog {
	const marks = new Set<string>();
	const removed = new Map([[0, new Set<string>()]]);
	for (const line of read(join(root, 'log')).split('\n')) {
		const text = line.slice(1);
		switch (line[0]) {
			case '+':
				marks.add(text);
				break;
			case '-':
				marks.delete(text);
				break;
			case '=':
				removed.set(Number(text), new Set());
				break;
			case '!':
				for (const each of removed.values()) {
					each.add(text);
				}
		}
	}
	return { marks, removedSince: (seq) => removed.get(seq) ?? new Set() };
}

/** Gives a file other times. */
function touch(path: string): void {
	if (!lstatSync(path).isSymbolicLink()) {
		utimesSync(path, 1, 1);
	}
}

/** All marks at a path, and below it. */
export function marksAt(path: string): Set<string> {
	const marks = new Set<string>();
	const stats = lstatSync(path, { throwIfNoEntry: false });
	if (stats?.isDirectory()) {
		for (const name of readdirSync(path)) {
			for (const mark of marksAt(join(path, name))) {
				marks.add(mark);
			}
		}
		return marks;
	}
	const text = stats?.isSymbolicLink() ? readlinkSync(path) : read(path);
	for (const [mark] of text.matchAll(new RegExp(MARK, 'g'))) {
		marks.add(mark);
	}
	return marks;
}

/** The paths of everything below `dir`, without the folder `.shoal`. */
export function pathsIn(dir: string, below = ''): string[] {
	return readdirSync(join(dir, below)).flatMap((name) => {
		const path = below === '' ? name : `${below}/${name}`;
		if (path === '.shoal') {
			return [];
		}
		const isFolder = lstatSync(join(dir, path)).isDirectory();
		return isFolder ? [path, ...pathsIn(dir, path)] : [path];
	});
}

function read(path: string): string {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return '';
	}
}
