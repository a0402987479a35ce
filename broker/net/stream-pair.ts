import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;

/**
 * One end of a {@link streamPair}. Written bytes arrive at the other end in a later turn of the
 * event loop, never during a write or a read: Aedes goes on reading while it handles a packet, and
 * a recursive call of its parser fails. The bytes are copied, as the writer may change its buffer
 * after the write.
 */
class End extends Duplex {
	other: End | undefined;
	/**
	 * Called when the bytes that the other end wrote last have been read; until then the other end
	 * sends no more.
	 */
	#taken: Done | undefined;

	override _read(): void {
		const taken = this.#taken;
		this.#taken = undefined;
		taken?.();
	}

	override _write(bytes: Buffer, _encoding: string, done: Done): void {
		this.#deliver(Buffer.from(bytes), done);
	}

	override _writev(chunks: Array<{ chunk: Buffer }>, done: Done): void {
		this.#deliver(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
	}

	override _final(done: Done): void {
		this.#deliver(null, done);
	}

	override _destroy(error: Error | null, done: Done): void {
		this._read();
		// If both directions of this end have finished, the other end stays open, so that the bytes
		// that remain there can be read.
		if (!this.readableEnded || !this.writableFinished) {
			this.other?.destroy();
		}
		done(error);
	}

	#deliver(bytes: Buffer | null, done: Done): void {
		setImmediate(() => {
			const { other } = this;
			if (other?.destroyed === false && !other.push(bytes) && bytes !== null) {
				other.#taken = done;
			} else {
				done();
			}
		});
	}
}

/**
 * Two streams: bytes written to one are read from the other. They end together.
 *
 * @param highWaterMark bytes that each end queues before a write returns false
 */
export function streamPair(highWaterMark: number): [Duplex, Duplex] {
	const [one, two] = [new End({ highWaterMark }), new End({ highWaterMark })];
	one.other = two;
	two.other = one;
	return [one, two];
}
