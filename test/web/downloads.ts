import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { sha256 } from '../helpers/harness/shoal.ts';

/**
 * Downloads `name` with one click.
 *
 * @returns the SHA-256 of the saved file, and the ms until the browser began to save it
 */
export async function get(page: Page, name: string): Promise<{ digest: string; ms: number }> {
	const button = page.getByRole('button', { name: `Get ${name}` });
	await button.waitFor();
	const saved = page.waitForEvent('download');
	const start = performance.now();
	await button.click();
	const download = await saved;
	const ms = performance.now() - start;
	assert.is(download.suggestedFilename(), name);
	return { digest: await sha256(await download.path()), ms };
}

/** Shares a file with the input of the page. @returns the id of its seed */
export async function share(page: Page, path: string, name: string): Promise<string> {
	await page.getByRole('link', { name: 'My files' }).click();
	await page.getByLabel(/Share files/).setInputFiles(path);
	const link = page.locator('.mine.sharing').getByRole('link', { name });
	await link.waitFor();
	return ((await link.getAttribute('href')) ?? '').slice(1);
}
