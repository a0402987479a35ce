/**
 * Where the bytes of one content are. Offsets are of the content, whichever files it is spread over.
 * Who reads or writes stays inside the content.
 */
export interface Storage {
	/**
	 * Fills `into` with the bytes from `offset` on.
	 *
	 * @throws ShoalError ERR_IO, or ERR_CHANGED if the bytes are not those that were verified any more
	 */
	read(offset: number, into: Uint8Array): Promise<void>;

	/**
	 * Writes `bytes` from `offset` on.
	 *
	 * @throws ShoalError ERR_IO, ERR_NO_SPACE
	 */
	write(offset: number, bytes: Uint8Array): Promise<void>;

	/** @throws ShoalError ERR_CHANGED if the bytes are known not to be those that were verified any more */
	check(): void;

	/** Gives everything back. Idempotent. */
	close(): Promise<void>;
}
