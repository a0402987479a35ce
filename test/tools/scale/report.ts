import { table } from '../bench/report.ts';
import type { Outcome, Times } from './story.ts';

const MEGA = 1e6;

/** The figures of all sizes as Markdown. */
export function toMarkdown(outcomes: readonly Outcome[]): string {
	return [summary(outcomes), costs(outcomes), ...outcomes.map(phasesOf)].join('\n\n');
}

/** CPU time of the messages, and how many of them one core takes. */
function costs(outcomes: readonly Outcome[]): string {
	const head = [
		'nodes / announces',
		'announce',
		'update',
		...['swarm of 10', 'swarm of 100', 'all nodes'].flatMap((swarm) => [
			`query, ${swarm}`,
			'the same again',
		]),
	];
	const rows = outcomes.map(({ nodes, announces, phases, queries, update }) => {
		const [join] = phases;
		const announce = join === undefined ? Number.NaN : join.cpu / join.received;
		return [
			`${grouped(nodes)} / ${grouped(announces)}`,
			...[announce, update, ...queries.flatMap(({ cpu, again }) => [cpu, again])].map(
				(cpu) => `${grouped(cpu * 1_000)} µs, ${grouped(1_000 / cpu)}/s`,
			),
		];
	});
	return table(head, rows);
}

function summary(outcomes: readonly Outcome[]): string {
	const head = [
		'nodes / announces',
		'heap MB',
		'resident MB: at rest / peak',
		'bytes an announce',
		'query ms p50 / p99 / max: swarm of 10',
		'of 100',
		'of all nodes',
		'of all, CPU ms',
		'take-over: s until whole',
	];
	const rows = outcomes.map(({ nodes, announces, phases, queries, whole }) => {
		const rest = phases.find(({ name }) => name === 'rest')?.figures;
		const peak = Math.max(...phases.map(({ figures }) => figures.peak));
		const heap = rest?.heapUsed ?? Number.NaN;
		return [
			`${grouped(nodes)} / ${grouped(announces)}`,
			(heap / MEGA).toFixed(0),
			`${((rest?.resident ?? Number.NaN) / MEGA).toFixed(0)} / ${(peak / MEGA).toFixed(0)}`,
			(heap / announces).toFixed(0),
			...queries.map(({ times }) => printTimes(times)),
			...queries.slice(-1).map(({ cpuTimes }) => printTimes(cpuTimes)),
			Number.isNaN(whole) ? '-' : (whole / 1_000).toFixed(1),
		];
	});
	return table(head, rows);
}

function phasesOf({ nodes, announces, phases }: Outcome): string {
	const head = [
		`${grouped(nodes)} / ${grouped(announces)}`,
		'virtual s',
		'messages/s to the tracker: mean / peak',
		'from it, mean',
		'% of a core',
		'longest pause ms',
		'most waiting',
		'dropped',
		'query ms p50 / p99 / max, with waiting',
		'unanswered',
	];
	const rows = phases.map((phase) => {
		const seconds = phase.ms / 1_000;
		return [
			phase.name,
			seconds.toFixed(1),
			`${grouped(phase.received / seconds)} / ${grouped(phase.peak)}`,
			grouped(phase.sent / seconds),
			(phase.cpu / seconds / 10).toFixed(1),
			phase.pause.toFixed(1),
			grouped(phase.backlog),
			grouped(phase.dropped),
			printTimes(phase.waits),
			String(phase.unanswered),
		];
	});
	return table(head, rows);
}

function printTimes({ p50, p99, most }: Times): string {
	const print = (ms: number): string =>
		Number.isNaN(ms) ? '-' : ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
	return [p50, p99, most].map(print).join(' / ');
}

function grouped(number: number): string {
	return Math.round(number).toLocaleString('en-US');
}
