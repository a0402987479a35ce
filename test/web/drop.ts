import type { Tab } from './chromium.ts';

/** The dragged data: paths on the disk, a text or a link. */
export interface Dragged {
	readonly files?: readonly string[];
	readonly items?: ReadonlyArray<{ readonly mimeType: string; readonly data: string }>;
}

/** Drops the data as the window system does, so that the browser handles it as usual. */
export async function drop(
	{ page, context }: Pick<Tab, 'page' | 'context'>,
	dragged: Dragged,
	x = 600,
	y = 700,
): Promise<void> {
	const session = await context.newCDPSession(page);
	const data = {
		items: [...(dragged.items ?? [])],
		files: [...(dragged.files ?? [])],
		dragOperationsMask: 1,
	};
	for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
		await session.send('Input.dispatchDragEvent', { type, x, y, data });
	}
	await session.detach();
}
