import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { TrafficSample } from '../messages.ts';
import { rateText } from './format.ts';
import { timeSpan } from './time-span.ts';

/**
 * px of the axes, and of the room above and beside the curves, so that nothing is cut off at the
 * edge.
 */
const CLOCK_AXIS = 24;
const RATE_AXIS = 74;
const PADDING: uPlot.Padding = [8, 44, 0, 0];
/**
 * The space above the highest sample, as a fraction of the height of that sample; and the lowest
 * rate that the top of the axis may have, in bytes per second.
 */
const HEADROOM = 0.1;
const LEAST_RATE = 1_000;

/**
 * The last minutes as curves: the bytes per second that nodes receive, and that the broker sends.
 */
export function History({ history }: { history: readonly TrafficSample[] }) {
	const place = useRef<HTMLDivElement>(null);
	const chart = useRef<uPlot | undefined>(undefined);
	useEffect(() => {
		const element = place.current as HTMLDivElement;
		const made = new uPlot(optionsFor(element), [[], [], []], element);
		chart.current = made;
		const fit = new ResizeObserver(() =>
			made.setSize({ width: element.clientWidth, height: element.clientHeight }),
		);
		fit.observe(element);
		return () => {
			fit.disconnect();
			made.destroy();
		};
	}, []);
	useEffect(() => {
		chart.current?.setData([
			history.map(({ at }) => at),
			history.map(({ down }) => down ?? null),
			history.map(({ broker }) => broker ?? null),
		]);
	}, [history.at(-1)?.at]);
	const last = history.at(-1);
	return (
		<figure class="history">
			<figcaption>
				<span class="key down">
					nodes receive <b>{rateText(last?.down ?? 0)}</b>
				</span>
				<span class="key broker">
					broker sends <b>{rateText(last?.broker ?? 0)}</b>
				</span>
			</figcaption>
			<div ref={place} aria-hidden="true" />
		</figure>
	);
}

/** A time of day. */
function clockText(seconds: number): string {
	return new Date(seconds * 1_000).toLocaleTimeString([], { timeStyle: 'medium' });
}

function optionsFor(element: HTMLElement): uPlot.Options {
	const colour = (name: string): string => getComputedStyle(element).getPropertyValue(name).trim();
	const axis = {
		stroke: () => colour('--dim'),
		grid: { stroke: () => colour('--line'), width: 1 },
		ticks: { stroke: () => colour('--line'), width: 1, size: 4 },
	};
	// A single sample makes no line.
	const points: uPlot.Series.Points = {
		show: ({ data }, series) =>
			Array.from(data[series] ?? []).filter((rate) => rate !== null).length === 1,
	};
	return {
		width: element.clientWidth,
		height: element.clientHeight,
		padding: PADDING,
		legend: { show: false },
		cursor: { show: false },
		scales: {
			x: { range: (_chart, first, last) => timeSpan(first, last, Date.now() / 1_000) },
			y: { range: (_chart, _low, high) => [0, Math.max(high * (1 + HEADROOM), LEAST_RATE)] },
		},
		axes: [
			{ ...axis, size: CLOCK_AXIS, space: 80, values: (_chart, times) => times.map(clockText) },
			{
				...axis,
				size: RATE_AXIS,
				space: 24,
				values: (_chart, rates) => rates.map((rate) => rateText(rate) || '0'),
			},
		],
		series: [
			{},
			{ stroke: () => colour('--accent'), width: 2, points },
			{ stroke: () => colour('--other'), width: 1.5, points },
		],
	};
}
