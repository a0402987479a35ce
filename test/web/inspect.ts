import { join } from 'node:path';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { findings } from './axe.ts';

/** The folder for pictures of the inspected views; undefined: none are taken. */
const PICTURES = process.env.SHOAL_PICTURES;
/** Most ms that an animation of the page takes. */
const MOST_ANIMATED = 700;

/**
 * Checks a view, dark and narrow, then light and wide: it must be accessible, and fit into the
 * window.
 */
export async function inspect(page: Page, view: string): Promise<void> {
	for (const [colorScheme, width, height] of [
		['dark', 360, 740],
		['light', 1280, 900],
	] as const) {
		await page.emulateMedia({ colorScheme });
		await page.setViewportSize({ width, height });
		assert.equal(await findings(page), [], `${view}, ${colorScheme}`);
		const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
		assert.ok(wide <= 0, `${view}, ${width} px: ${wide} px too wide`);
		if (PICTURES !== undefined) {
			await page.waitForTimeout(MOST_ANIMATED);
			await page.screenshot({ path: join(PICTURES, `${view}-${colorScheme}.png`) });
		}
	}
}
