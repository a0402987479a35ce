/** Messages of our own that are still to come back to us: they mean nothing. */
export class OwnMessages {
	/** How many of a topic. */
	readonly #expected = new Map<string, number>();

	/** One on `topic` is on its way. */
	expect(topic: string): void {
		this.#expected.set(topic, (this.#expected.get(topic) ?? 0) + 1);
	}

	/** Whether what has come on `topic` is one of them; if so it is not expected any more. */
	take(topic: string): boolean {
		const expected = this.#expected.get(topic) ?? 0;
		if (expected > 1) {
			this.#expected.set(topic, expected - 1);
		} else {
			this.#expected.delete(topic);
		}
		return expected > 0;
	}

	/** None comes any more. */
	clear(): void {
		this.#expected.clear();
	}
}
