import { useEffect } from 'preact/hooks';
import type { NodeRow } from '../messages.ts';
import { percentText, rateText, sizeText } from './format.ts';
import { NodeName, nodeText } from './node-name.tsx';
import { Ring } from './ring.tsx';
import { Totals } from './totals.tsx';
import type { ViewProps } from './view-props.ts';

/** Maximum number of nodes that are shown: those with the most traffic. */
const MOST_NODES = 120;

/** The nodes of the swarm, and which nodes each of them receives from. */
export function NodesView({ page, look }: ViewProps) {
	useEffect(() => look({ view: 'nodes', count: MOST_NODES }), []);
	const { swarm } = page;
	const nodes = swarm?.nodes ?? [];
	return (
		<>
			<h1>Nodes</h1>
			<Totals swarm={swarm} />
			<Ring nodes={nodes} />
			{/* biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls has to be reachable by keyboard */}
			<section class="scroll" tabIndex={0} aria-label="All nodes">
				<table class="nodes">
					<thead>
						<tr>
							<th scope="col">Node</th>
							<th scope="col">Seeds</th>
							<th scope="col">Sends</th>
							<th scope="col">Receives</th>
							<th scope="col">Direct lane</th>
							<th scope="col">Fed by</th>
						</tr>
					</thead>
					<tbody>
						{nodes.map((node) => (
							<Row key={node.node} {...node} />
						))}
					</tbody>
				</table>
			</section>
			{swarm !== undefined && swarm.totals.nodes > nodes.length && nodes.length > 0 && (
				<p>and {swarm.totals.nodes - nodes.length} more</p>
			)}
		</>
	);
}

function Row({ node, name, seeds, up, down, direct, broker, sources }: NodeRow) {
	const moved = direct + broker;
	const straight = moved === 0 ? '' : `${percentText(direct, moved)} of ${sizeText(moved)}`;
	const peerTraffic = sources.map(({ node: from, name: called, lane, rate }) => {
		return `${nodeText(from, called)} ${rateText(rate)}${lane === 'broker' ? ' through the broker' : ''}`;
	});
	return (
		<tr>
			<td>
				<NodeName id={node} name={name} />
			</td>
			<td>{seeds}</td>
			<td>{rateText(up)}</td>
			<td>{rateText(down)}</td>
			<td>{straight}</td>
			<td>{peerTraffic.join(', ')}</td>
		</tr>
	);
}
