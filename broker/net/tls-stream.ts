import { Duplex, type DuplexOptions } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { PacketFramer } from '../../protocol/index.ts';
import { goesOutBy, onHandshakeError, readInto } from './socket-internals.ts';

/** Bytes of a buffer for what arrives after an error. */
const IGNORED = 16 * 1024;

type Done = (error?: Error | null) => void;

/** Options of a {@link SecureStream}. */
export interface SecureStreamOptions
	extends Pick<DuplexOptions, 'readableHighWaterMark' | 'writableHighWaterMark'> {
	/** Splits the decrypted bytes into packets. */
	readonly framer: PacketFramer;
	/** Called if the decrypted bytes are not MQTT, or not allowed. Then the stream is closed. */
	readonly onBad?: (() => void) | undefined;
	/**
	 * Checks the identity of the other end before anything is sent.
	 *
	 * @throws ShoalError if the identity is wrong
	 */
	readonly check?: ((socket: TLSSocket) => void) | undefined;
	/** Returns the error to report for an error of the TLS socket. @default the same error */
	readonly failure?: ((error: Error) => Error) | undefined;
}

/**
 * A TLS socket that is read packet by packet, like a plain one: Node.js copies what it has decrypted
 * into the buffer of the packet. Written bytes count as queued until the socket below has taken
 * them.
 */
export class SecureStream extends Duplex {
	readonly #inner: TLSSocket;

	/** Reads and writes through `inner`. */
	constructor(inner: TLSSocket, options: SecureStreamOptions) {
		const { framer, onBad, check, failure = (error: Error) => error, ...marks } = options;
		super({
			...marks,
			construct: (done) => {
				if (check === undefined) {
					done();
					return;
				}
				inner.once('secureConnect', () => done(failureOf(() => check(inner))));
				inner.once('error', done);
			},
		});
		this.#inner = inner;
		goesOutBy(this, inner);
		this.#read(framer, onBad);
		inner.once('end', () => this.push(null));
		onHandshakeError(inner, (error) => this.destroy(failure(error)));
		inner.on('error', (error) => this.destroy(failure(error)));
		inner.once('close', () => this.destroy());
	}

	/** Passes all that is decrypted to `framer`, directly into its buffers if Node.js allows it. */
	#read(framer: PacketFramer, onBad: (() => void) | undefined): void {
		let isBad = false;
		const take = (work: () => void): void => {
			const error = isBad ? null : failureOf(work);
			if (error !== null) {
				isBad = true;
				onBad?.();
				this.destroy(error);
			}
		};
		const onread = {
			// After an error, Node.js may have more decrypted bytes, and an empty buffer would hang it.
			buffer: () => (isBad ? new Uint8Array(IGNORED) : framer.target),
			callback: (count: number): boolean => {
				take(() => framer.filled(count));
				return !isBad;
			},
		};
		if (!readInto(this.#inner, onread)) {
			this.#inner.on('data', (bytes) => take(() => framer.fill(bytes)));
		}
		this.#inner.resume();
	}

	/** IP address of the other end. */
	get remoteAddress(): string | undefined {
		return this.#inner.remoteAddress;
	}

	/** Bytes received. */
	get bytesRead(): number {
		return this.#inner.bytesRead;
	}

	/** Bytes sent or queued. */
	get bytesWritten(): number {
		return this.#inner.bytesWritten;
	}

	/** Sends small packets at once. */
	setNoDelay(): void {
		this.#inner.setNoDelay();
	}

	/** Makes `packet`, which the framer has split off, readable from this stream. */
	give(packet: Uint8Array): void {
		if (!this.push(packet)) {
			this.#inner.pause();
		}
	}

	override _read(): void {
		this.#inner.resume();
	}

	override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: Done): void {
		this.#inner.write(bytes, done);
	}

	override _writev(parts: readonly { readonly chunk: Uint8Array }[], done: Done): void {
		this.#inner.cork();
		parts.forEach(({ chunk }, index) => {
			this.#inner.write(chunk, index === parts.length - 1 ? done : undefined);
		});
		this.#inner.uncork();
	}

	override _final(done: Done): void {
		this.#inner.end(() => done());
	}

	override _destroy(error: Error | null, done: Done): void {
		this.#inner.destroy();
		done(error);
	}
}

/** The error that `work` throws; null if none. */
export function failureOf(work: () => void): Error | null {
	try {
		work();
		return null;
	} catch (error) {
		return error as Error;
	}
}
