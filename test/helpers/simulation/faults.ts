/** From when until when, ms. */
export interface Span {
	readonly from: number;
	readonly until: number;
}

/** Faults of a simulated swarm, by the indices of nodes. */
export interface Faults {
	/** Nodes that stand still for a while, though they are counted on. */
	readonly frozen?: ReadonlyMap<number, Span>;
	/** Nodes that are cut off from all others for a while. */
	readonly cut?: { readonly nodes: ReadonlySet<number>; readonly span: Span };
	/** Share of wrong parts in what a node sends, 0 to 1. */
	readonly lies?: ReadonlyMap<number, number>;
	/** ms by which a node's clock differs from the others'. */
	readonly clocks?: ReadonlyMap<number, number>;
}

/** Until when `node` stands still; `now` if it does not. */
export function frozenUntil({ frozen }: Faults, node: number, now: number): number {
	return untilOver(frozen?.get(node), now);
}

/** From when on something sent from one node to another arrives; `now` if nothing is in the way. */
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
