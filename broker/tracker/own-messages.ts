/**
 * Messages that this client has published on topics to which it is subscribed. The broker sends
 * them back to this client, which has to ignore them.
 */
export class OwnMessages {
	/** Number of expected messages of each topic. */
	readonly #expected = new Map<string, number>();

	/** Records that one more own message on `topic` will arrive. */
	expect(topic: string): void {
		this.#expected.set(topic, (this.#expected.get(topic) ?? 0) + 1);
	}

	/**
	 * Whether a message that has arrived on `topic` is an own one; if so, it is no longer expected.
	 */
	take(topic: string): boolean {
		const expected = this.#expected.get(topic) ?? 0;
		if (expected > 1) {
			this.#expected.set(topic, expected - 1);
		} else {
			this.#expected.delete(topic);
		}
		return expected > 0;
	}

	/** Forgets all expected messages, which will not arrive any more. */
	clear(): void {
		this.#expected.clear();
	}
}
