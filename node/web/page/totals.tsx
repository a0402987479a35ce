import type { SwarmSnapshot } from '../messages.ts';
import { rateText, sizeText } from './format.ts';

/** The swarm in numbers, and the load of its broker. */
export function Totals({ swarm }: { swarm: SwarmSnapshot | undefined }) {
	if (swarm === undefined) {
		return <p class="totals">Looking…</p>;
	}
	const { totals, load } = swarm;
	const numbers: ReadonlyArray<readonly [name: string, text: string]> = [
		['Seeds', String(totals.seeds)],
		['Nodes', String(totals.nodes)],
		['Nodes receive', rateText(totals.down) || '–'],
		['Broker sends', load === undefined ? '–' : rateText(load.sent) || '–'],
		['Broker queues', load === undefined ? '–' : sizeText(load.queued)],
		['Broker CPU', load === undefined ? '–' : `${Math.round(load.cpu * 100)} %`],
		['Broker lag', load === undefined ? '–' : `${Math.round(load.lag)} ms`],
	];
	return (
		<dl class="totals">
			{numbers.map(([name, text]) => (
				<div key={name}>
					<dt>{name}</dt>
					<dd>{text}</dd>
				</div>
			))}
		</dl>
	);
}
