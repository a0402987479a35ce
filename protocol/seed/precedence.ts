/** A number of 32 bits for an id (FNV-1a). */
export function hashId(id: string): number {
	let hash = 0x811c9dc5;
	for (let index = 0; index < id.length; index += 1) {
		hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
	}
	return hash >>> 0;
}

/**
 * How much a node's word counts for a chunk, 32 bits. Of several nodes each has the greatest for about as
 * many chunks, and whoever compares them comes to the same result without asking (rendezvous hashing, Thaler
 * and Ravishankar 1998).
 */
export function precedence(idHash: number, chunk: number): number {
	let mixed = idHash ^ Math.imul(chunk + 1, 0x9e3779b1);
	mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
	mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
	return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * How far two nodes, hashed, are from each other, 32 bits: a random number, the same both ways. Nodes that
 * go to those nearest to them are chosen by about as many others.
 */
export function distance(idHash: number, otherHash: number): number {
	return precedence(idHash ^ otherHash, 0);
}
