/**
 * The storage of the bytes of one content, which may be in several files. Offsets count from the
 * start of the content. Callers read and write only within the length of the content.
 */
export interface Storage {
	/**
	 * Fills `into` with the bytes from `offset` on.
	 *
	 * @throws ShoalError ERR_IO, or ERR_CHANGED if the bytes have changed since they were verified
	 */
	read(offset: number, into: Uint8Array): Promise<void>;

	/**
	 * Writes `bytes` from `offset` on.
	 *
	 * @throws ShoalError ERR_IO, ERR_NO_SPACE
	 */
	write(offset: number, bytes: Uint8Array): Promise<void>;

	/**
	 * @throws ShoalError ERR_CHANGED if the bytes are known to have changed since they were verified
	 */
	check(): void;

	/** Releases files and memory. Idempotent. */
	close(): Promise<void>;
}
