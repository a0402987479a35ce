const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A bar of `width` columns, `fraction` of it full, exact to an eighth of a column. */
export function bar(fraction: number, width: number): string {
	const eighths = Math.floor(Math.min(1, Math.max(0, fraction)) * width * 8);
	const filled = '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
	return filled + '░'.repeat(width - Math.ceil(eighths / 8));
}

const LEVELS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** The map of an announce as blocks. Its hexadecimal digits set the heights of the blocks. */
export function blockMap(map: string, width = map.length): string {
	const each = map.length / width;
	let blocks = '';
	for (let column = 0; column < width; column += 1) {
		const digits = [...map.slice(Math.floor(column * each), Math.floor((column + 1) * each))];
		blocks += LEVELS[levelOf(digits.map((digit) => Number.parseInt(digit, 16)))];
	}
	return blocks;
}

/** The height of a block, 0 to 8: 0 only if all buckets are empty, 8 only if all are full. */
function levelOf(values: readonly number[]): number {
	const sum = values.reduce((total, value) => total + value, 0);
	const most = values.length * 15;
	return sum === 0 ? 0 : sum === most ? 8 : 1 + Math.floor((sum * 7) / most);
}
