import { useEffect, useRef } from 'preact/hooks';

/**
 * Shows how full each of the 64 buckets of a file is. `map` is the map of an announce: it has one
 * hexadecimal digit for each bucket.
 */
export function ChunkMap({ map, label }: { map: string; label: string }) {
	const place = useRef<HTMLCanvasElement>(null);
	useEffect(() => {
		const canvas = place.current as HTMLCanvasElement;
		const context = canvas.getContext('2d') as CanvasRenderingContext2D;
		context.clearRect(0, 0, map.length, 1);
		context.fillStyle = getComputedStyle(canvas).color;
		for (const [index, digit] of [...map].entries()) {
			context.globalAlpha = Number.parseInt(digit, 16) / 15;
			context.fillRect(index, 0, 1, 1);
		}
	}, [map]);
	return <canvas ref={place} class="map" width={64} height={1} role="img" aria-label={label} />;
}
