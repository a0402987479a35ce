import { useEffect, useRef } from 'preact/hooks';
import type { NodeRow } from '../messages.ts';
import { nodeText } from './node-name.tsx';

/** Maximum number of nodes whose names fit beside them. */
const MOST_NAMES = 32;
const MOST_WIDTH = 8;

interface ArcPoint {
	readonly x: number;
	readonly y: number;
}

interface Point extends ArcPoint {
	readonly angle: number;
}

/**
 * The nodes in a circle, and a line from each sender to its receiver, thicker for a higher rate.
 */
export function Ring({ nodes }: { nodes: readonly NodeRow[] }) {
	const place = useRef<HTMLCanvasElement>(null);
	useEffect(() => draw(place.current as HTMLCanvasElement, nodes), [nodes]);
	const flows = nodes.reduce((sum, { sources }) => sum + sources.length, 0);
	return (
		<figure class="ring">
			<canvas
				ref={place}
				role="img"
				aria-label={`${nodes.length} nodes in a circle, ${flows} flows between them; the table below shows the same`}
			/>
			<figcaption>
				<span class="key down">direct</span>
				<span class="key broker">through the broker</span>
			</figcaption>
		</figure>
	);
}

/** A function that returns the colour in a custom property of the style sheet. */
type Colours = (name: string) => string;

function draw(canvas: HTMLCanvasElement, nodes: readonly NodeRow[]): void {
	const { clientWidth: width, clientHeight: height } = canvas;
	canvas.width = width * devicePixelRatio;
	canvas.height = height * devicePixelRatio;
	const context = canvas.getContext('2d') as CanvasRenderingContext2D;
	context.scale(devicePixelRatio, devicePixelRatio);
	const style = getComputedStyle(canvas);
	context.font = `12px ${style.fontFamily}`;
	const colours: Colours = (name) => style.getPropertyValue(name).trim();
	const hasNames = nodes.length <= MOST_NAMES && width > 480;
	const radius = Math.max(20, Math.min(width / 2 - (hasNames ? 130 : 20), height / 2 - 24));
	const centre = { x: width / 2, y: height / 2 };
	const points = circle(
		nodes.map(({ node }) => node),
		centre,
		radius,
	);
	drawFlows(context, nodes, points, centre, colours);
	for (const node of nodes) {
		drawNode(context, node, points.get(node.node) as Point, hasNames, colours);
	}
}

/**
 * The points of a circle by id, in the order of ids: a node keeps its place whatever its traffic.
 */
function circle(ids: readonly string[], { x, y }: ArcPoint, radius: number): Map<string, Point> {
	return new Map(
		[...ids].sort().map((id, index): [string, Point] => {
			const angle = (index / ids.length) * 2 * Math.PI - Math.PI / 2;
			return [id, { x: x + radius * Math.cos(angle), y: y + radius * Math.sin(angle), angle }];
		}),
	);
}

function drawFlows(
	context: CanvasRenderingContext2D,
	nodes: readonly NodeRow[],
	points: ReadonlyMap<string, Point>,
	centre: ArcPoint,
	colours: Colours,
): void {
	const most = Math.max(1, ...nodes.flatMap(({ sources }) => sources.map(({ rate }) => rate)));
	for (const { node, sources } of nodes) {
		for (const { node: from, lane, rate } of sources) {
			context.strokeStyle = colours(lane === 'direct' ? '--accent' : '--other');
			context.fillStyle = context.strokeStyle;
			context.lineWidth = Math.max(1, MOST_WIDTH * Math.sqrt(rate / most));
			flow(context, points.get(from), points.get(node), centre);
		}
	}
}

function drawNode(
	context: CanvasRenderingContext2D,
	{ node, name, up, down }: NodeRow,
	{ x, y, angle }: Point,
	hasName: boolean,
	colours: Colours,
): void {
	const isBusy = up + down > 0;
	context.fillStyle = colours(isBusy ? '--text' : '--dim');
	context.beginPath();
	context.arc(x, y, isBusy ? 5 : 3, 0, 2 * Math.PI);
	context.fill();
	if (hasName) {
		const isLeft = Math.cos(angle) < -0.01;
		context.textAlign = isLeft ? 'right' : 'left';
		context.fillText(nodeText(node, name), x + (isLeft ? -10 : 10), y + 4);
	}
}

/** Draws a curved line that bends towards the centre and has its arrow at the end. */
function flow(
	context: CanvasRenderingContext2D,
	from: Point | undefined,
	to: Point | undefined,
	centre: ArcPoint,
): void {
	if (from === undefined || to === undefined) {
		return;
	}
	const bend = { x: ((from.x + to.x) / 2 + centre.x) / 2, y: ((from.y + to.y) / 2 + centre.y) / 2 };
	context.globalAlpha = 0.7;
	context.beginPath();
	context.moveTo(from.x, from.y);
	context.quadraticCurveTo(bend.x, bend.y, to.x, to.y);
	context.stroke();
	const angle = Math.atan2(to.y - bend.y, to.x - bend.x);
	const size = 6 + context.lineWidth;
	context.beginPath();
	context.moveTo(to.x, to.y);
	for (const side of [0.4, -0.4]) {
		context.lineTo(to.x - size * Math.cos(angle + side), to.y - size * Math.sin(angle + side));
	}
	context.fill();
	context.globalAlpha = 1;
}
