import { type Link, Topics } from '../../protocol/index.ts';

const topics = new Topics();

/** Round trips between two clients until `isOver`; returns the 99th percentile in ms. */
export async function pingUntil(from: Link, to: Link, isOver: () => boolean): Promise<number> {
	const times: number[] = [];
	let answer = (): void => {};
	const off = to.on('message', ({ topic }) => {
		if (topic === topics.request(to.id, from.id)) {
			answer();
		}
	});
	while (!isOver()) {
		const start = performance.now();
		const isThere = new Promise<void>((resolve) => {
			answer = resolve;
		});
		from.send(topics.request(to.id, from.id), Buffer.from('ping'));
		await isThere;
		times.push(performance.now() - start);
	}
	off();
	return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] as number;
}
