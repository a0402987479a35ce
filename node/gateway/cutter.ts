/** Cuts a stream of bytes into stretches of given lengths, one after the other. */
export class Cutter {
	readonly #pieces: AsyncIterator<Uint8Array>;
	#rest = new Uint8Array();

	constructor(bytes: AsyncIterable<Uint8Array>) {
		this.#pieces = bytes[Symbol.asyncIterator]();
	}

	/** The next `length` bytes, as they arrive. Throws if the stream ends before their end. */
	async *take(length: number): AsyncGenerator<Uint8Array, undefined> {
		for (let left = length; left > 0; ) {
			if (this.#rest.length === 0) {
				this.#rest = await this.#next();
			}
			const bytes = this.#rest.subarray(0, left);
			this.#rest = this.#rest.subarray(bytes.length);
			left -= bytes.length;
			yield bytes;
		}
	}

	/** The next `length` bytes as one array. Throws if the stream ends before their end. */
	async read(length: number): Promise<Uint8Array> {
		if (this.#rest.length >= length) {
			const bytes = this.#rest.subarray(0, length);
			this.#rest = this.#rest.subarray(length);
			return bytes;
		}
		const all = new Uint8Array(length);
		let at = 0;
		for await (const bytes of this.take(length)) {
			all.set(bytes, at);
			at += bytes.length;
		}
		return all;
	}

	/** Leaves out the next `length` bytes. */
	async skip(length: number): Promise<void> {
		for await (const _ of this.take(length)) {
			// The bytes are not needed.
		}
	}

	/** Ends the stream. */
	async close(): Promise<void> {
		await this.#pieces.return?.();
	}

	async #next(): Promise<Uint8Array<ArrayBuffer>> {
		const { done, value } = await this.#pieces.next();
		if (done) {
			throw new Error('the stream has ended too early');
		}
		return value as Uint8Array<ArrayBuffer>;
	}
}
