/** A 32-bit hash of an id (FNV-1a). */
export function hashId(id: string): number {
	let hash = 0x811c9dc5;
	for (let index = 0; index < id.length; index += 1) {
		hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
	}
	return hash >>> 0;
}

/**
 * The precedence of a node for a chunk, 32 bits. Among several nodes, each node has the
 * greatest precedence for about the same number of chunks. All nodes compute the same result
 * without exchanging messages (rendezvous hashing, Thaler and Ravishankar 1998).
 */
export function precedence(idHash: number, chunk: number): number {
	let mixed = idHash ^ Math.imul(chunk + 1, 0x9e3779b1);
	mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
	mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
	return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * The distance between two nodes, given the hashes of their ids: a pseudo-random number of 32 bits,
 * the same in both directions.
 */
export function distance(idHash: number, otherHash: number): number {
	return precedence(idHash ^ otherHash, 0);
}
