/** A span of virtual time, ms. */
export interface Span {
	readonly from: number;
	readonly until: number;
}

/** Faults of a simulated swarm, by the indices of nodes. */
export interface Faults {
	/** Nodes that are frozen for a while, and stay peers of others. */
	readonly frozen?: ReadonlyMap<number, Span>;
	/** Nodes that are disconnected from all others for a while. */
	readonly cut?: { readonly nodes: ReadonlySet<number>; readonly span: Span };
	/** The fraction of wrong parts among the parts that a node sends, 0 to 1. */
	readonly lies?: ReadonlyMap<number, number>;
	/** ms by which the clock of a node differs from the true time. */
	readonly clocks?: ReadonlyMap<number, number>;
}

/** The time until which `node` is frozen; `now` if it is not frozen. */
export function frozenUntil({ frozen }: Faults, node: number, now: number): number {
	return untilOver(frozen?.get(node), now);
}

/** The time from which messages between two nodes arrive again; `now` if no fault blocks them. */
export function passesFrom(faults: Faults, from: number, to: number, now: number): number {
	const { nodes, span } = faults.cut ?? {};
	const isCut = nodes?.has(from) !== nodes?.has(to);
	return Math.max(
		frozenUntil(faults, from, now),
		frozenUntil(faults, to, now),
		untilOver(isCut ? span : undefined, now),
	);
}

function untilOver(span: Span | undefined, now: number): number {
	return span !== undefined && now >= span.from && now < span.until ? span.until : now;
}
