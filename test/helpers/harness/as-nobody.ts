const NOBODY = 65_534;

/**
 * Runs `body`, which must be synchronous, without the rights of root: they would let it read every
 * file.
 */
export function asNobody(body: () => void): void {
	if (process.getuid?.() !== 0) {
		body();
		return;
	}
	process.seteuid?.(NOBODY);
	try {
		body();
	} finally {
		process.seteuid?.(0);
	}
}
