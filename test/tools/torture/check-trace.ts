import { readFileSync } from 'node:fs';
import type { TraceEvent } from '../../../node/stats/trace.ts';
import { DEFAULT_LIMITS, type Layout } from '../../../protocol/index.ts';

/** A line of a trace. */
export type TraceLine = TraceEvent & { readonly t: number };

interface Wish {
	readonly node: string;
	readonly id: string;
	readonly offset: number;
	readonly length: number;
	readonly isCounted: boolean;
}

type Of<E extends TraceEvent['event']> = Extract<TraceLine, { readonly event: E }>;

/**
 * Reads the lines of a trace file, without a last line that a killed process has left incomplete.
 */
export function readTrace(path: string): TraceLine[] {
	const lines = readFileSync(path, 'utf8').split('\n');
	lines.pop();
	return lines.map((line) => JSON.parse(line));
}

/**
 * Checks the trace of one download. No chunk is counted twice. Each counted chunk has all its bytes
 * from the node that it is counted for, and was not found bad. The open bytes over the broker stay
 * within `mostOpen`. Each request is answered, cancelled, refused or lost.
 *
 * @returns the problems, as sentences; empty if there are none
 */
export function checkTrace(
	lines: readonly TraceLine[],
	layout: Layout,
	mostOpen: number = DEFAULT_LIMITS.outstanding,
): string[] {
	const check = new TraceCheck(layout, mostOpen);
	for (const line of lines) {
		check.take(line);
	}
	return check.problems;
}

class TraceCheck {
	readonly problems: string[] = [];
	readonly #layout: Layout;
	readonly #mostOpen: number;
	/** The open requests, by node and offset. */
	readonly #wishes = new Map<string, Wish>();
	/** The useful bytes of each chunk that have arrived, by node and chunk. */
	readonly #came = new Map<string, number>();
	readonly #counted = new Set<number>();
	#open = 0;

	constructor(layout: Layout, mostOpen: number) {
		this.#layout = layout;
		this.#mostOpen = mostOpen;
	}

	take(line: TraceLine): void {
		switch (line.event) {
			case 'asked':
				this.#asked(line);
				break;
			case 'received':
				this.#received(line);
				break;
			case 'stored':
				this.#stored(line);
				break;
			case 'bad':
				this.#came.delete(`${line.node} ${line.chunk}`);
				break;
			default:
				this.#ended(line);
		}
	}

	#asked({ t, node, id, lane, ranges }: Of<'asked' | 'cancelled'>): void {
		for (const [offset, length] of ranges) {
			if (this.#wishes.has(`${node} ${offset}`)) {
				this.#problem(t, `${node} is asked for ${offset} while that is open`);
			}
			this.#wishes.set(`${node} ${offset}`, {
				node,
				id,
				offset,
				length,
				isCounted: lane === 'broker',
			});
			this.#open += lane === 'broker' ? length : 0;
		}
		if (lane === 'broker' && this.#open > this.#mostOpen) {
			this.#problem(t, `${this.#open} bytes are open, ${this.#mostOpen} may be`);
		}
	}

	#received({ t, node, offset, length, useful, shared }: Of<'received'>): void {
		if (!this.#layout.isRange(offset, length) || useful > length) {
			this.#problem(t, `${useful} of ${length} bytes at ${offset} cannot be`);
			return;
		}
		this.#close((wish) => {
			const isWithin = wish.offset >= offset && wish.offset + wish.length <= offset + length;
			return wish.node === node && (shared ? isWithin : wish.offset === offset);
		});
		for (let at = offset; at < offset + length && useful > 0; ) {
			const chunk = Math.floor(at / this.#layout.chunkSize);
			const end = Math.min(offset + length, (chunk + 1) * this.#layout.chunkSize);
			const key = `${node} ${chunk}`;
			this.#came.set(key, (this.#came.get(key) ?? 0) + end - at);
			at = end;
		}
	}

	#stored({ t, node, first, count }: Of<'stored'>): void {
		for (let chunk = first; chunk < first + count; chunk += 1) {
			if (this.#counted.has(chunk)) {
				this.#problem(t, `chunk ${chunk} is counted twice`);
			}
			this.#counted.add(chunk);
			const came = this.#came.get(`${node} ${chunk}`) ?? 0;
			if (came < this.#layout.sizeOf(chunk)) {
				this.#problem(t, `chunk ${chunk} is counted, and ${came} bytes of it came of ${node}`);
			}
		}
	}

	/** Events that end a request without bytes. */
	#ended(line: TraceLine): void {
		switch (line.event) {
			case 'cancelled':
				for (const [offset] of line.ranges) {
					this.#close((wish) => wish.node === line.node && wish.offset === offset);
				}
				break;
			case 'refused':
				this.#close((wish) => wish.node === line.node && wish.id === line.id);
				break;
			case 'lost':
				this.#close((wish) => wish.node === line.node && wish.offset === line.offset);
				break;
			case 'gone':
			case 'dropped':
				this.#close((wish) => wish.node === line.node);
				break;
			case 'complete':
				for (const { node, offset } of this.#wishes.values()) {
					this.#problem(line.t, `nothing became of the wish for ${offset} at ${node}`);
				}
				break;
		}
	}

	#close(isIt: (wish: Wish) => boolean): void {
		for (const [key, wish] of this.#wishes) {
			if (isIt(wish)) {
				this.#wishes.delete(key);
				this.#open -= wish.isCounted ? wish.length : 0;
			}
		}
	}

	#problem(t: number, text: string): void {
		this.problems.push(`at ${t} ms: ${text}`);
	}
}
