import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;

/**
 * One end of a {@link streamPair}. What is written arrives at the other end later, never while it is being
 * written or read: Aedes reads on while it still handles a packet, and its parser, called from within
 * itself, loses its place.
 */
class End extends Duplex {
	other: End | undefined;

	override _read(): void {}

	override _write(bytes: Buffer, _encoding: string, done: Done): void {
		this.#deliver(bytes, done);
	}

	override _writev(chunks: Array<{ chunk: Buffer }>, done: Done): void {
		this.#deliver(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
	}

	override _final(done: Done): void {
		this.#deliver(null, done);
	}

	override _destroy(error: Error | null, done: Done): void {
		this.other?.destroy();
		done(error);
	}

	#deliver(bytes: Buffer | null, done: Done): void {
		setImmediate(() => {
			if (this.other?.destroyed === false) {
				this.other.push(bytes);
			}
			done();
		});
	}
}

/** Two streams, each of which reads what is written to the other. They end together. */
export function streamPair(highWaterMark: number): [Duplex, Duplex] {
	const [one, two] = [new End({ highWaterMark }), new End({ highWaterMark })];
	one.other = two;
	two.other = one;
	return [one, two];
}
