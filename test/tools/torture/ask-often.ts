import { ShoalNode } from '../../../node/index.ts';

// `ask-often.js URL SEED-ID`: queries the tracker repeatedly until SIGTERM, and then prints the
// longest time that an answer took, in ms.

const [, , broker, id = ''] = process.argv;
const node = await ShoalNode.start({ broker, listen: false });
let longest = 0;
process.on('SIGTERM', () => {
	console.log(longest);
	process.exit(0);
});
while (true) {
	const start = performance.now();
	await node.who(id);
	longest = Math.max(longest, performance.now() - start);
	await new Promise((resolve) => setTimeout(resolve, 100));
}
