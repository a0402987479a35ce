import { parseArgs } from 'node:util';
import { surroundings } from '../bench/report.ts';
import { toMarkdown } from './report.ts';
import { type Outcome, tell } from './story.ts';

// npm run scale: a tracker with many nodes, in virtual time. See docs/scale.md.

const SIZES = ['1000/100000', '10000/100000', '10000/1000000', '30000/3000000'];

const { values } = parseArgs({
	options: {
		size: { type: 'string', multiple: true, default: SIZES },
		queue: { type: 'string', default: 'Infinity' },
		short: { type: 'boolean', default: false },
	},
});
const sizes = values.size.map((size) => size.split('/').map(Number));
const queue = Number(values.queue);
if (
	!(queue > 0) ||
	sizes.some(([nodes, announces]) => !((nodes as number) > 0 && (announces as number) > 0))
) {
	console.error('npm run scale -- [--size NODES/ANNOUNCES]... [--queue MESSAGES] [--short]');
	process.exit(2);
}

const { machine, node, commit } = surroundings();
console.log(`${machine}; Node ${node}; commit ${commit}`);
const outcomes: Outcome[] = [];
for (const [nodes, announces] of sizes as Array<[number, number]>) {
	console.log(`\n${nodes} nodes, ${announces} announces`);
	const outcome = await tell({
		nodes,
		announces,
		queue,
		samples: 1_000,
		queryEvery: 50,
		isShort: values.short,
		say: (text) => console.log(`  ${text}`),
	});
	outcomes.push(outcome);
	for (const fault of outcome.faults) {
		console.log(`  FAIL ${fault}`);
	}
}
console.log(`\n${toMarkdown(outcomes)}`);
process.exitCode = outcomes.some(({ faults }) => faults.length > 0) ? 1 : 0;
