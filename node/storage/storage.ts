/**
 * The storage of the bytes of one content. Offsets count from the start of the content, whichever
 * files it is spread over. Callers read and write only within its length.
 */
export interface Storage {
	/**
	 * Fills `into` with the bytes from `offset` on.
	 *
	 * @throws ShoalError ERR_IO, or ERR_CHANGED if the bytes are no longer those that were verified
	 */
	read(offset: number, into: Uint8Array): Promise<void>;

	/**
	 * Writes `bytes` from `offset` on.
	 *
	 * @throws ShoalError ERR_IO, ERR_NO_SPACE
	 */
	write(offset: number, bytes: Uint8Array): Promise<void>;

	/**
	 * @throws ShoalError ERR_CHANGED if it is known that the bytes are no longer those that were
	 *   verified
	 */
	check(): void;

	/** Releases files and memory. Idempotent. */
	close(): Promise<void>;
}
