import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import type { Scope } from '../helpers/harness/suite.ts';

/** ms that whatever is waited for in a tab may take: the machine may do much else. */
const PATIENCE = 100_000;

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Where Chromium is on this machine. @throws Error if it is nowhere */
function chromiumPath(): string {
	const folders = (process.env.PATH ?? '').split(delimiter);
	const found = folders
		.flatMap((folder) => NAMES.map((name) => join(folder, name)))
		.find((path) => existsSync(path));
	if (found === undefined) {
		throw new Error(`none of ${NAMES.join(', ')} is in PATH; on Debian: apt-get install chromium`);
	}
	return found;
}

/** Options of a tab. */
export interface TabOptions {
	readonly width?: number;
	readonly height?: number;
	readonly scheme?: 'light' | 'dark';
	/** Whether pages that are left are kept frozen, to go back to, as browsers of people do. */
	readonly keepsPages?: boolean;
}

/** A tab of a browser of its own, and what went wrong in it. */
export interface Tab {
	readonly page: Page;
	readonly context: BrowserContext;
	/** Folder of the profile, which the command line of the browser names. */
	readonly profile: string;
	/** Errors of the page and of its worker, dialogs, and requests to another host. */
	readonly trouble: string[];
}

/**
 * Opens `url` in a browser with a profile of its own on the disk, as people have one: what a page stores is in
 * files then. It is closed when the test ends.
 */
export async function openTab(t: Scope, url: string, options: TabOptions = {}): Promise<Tab> {
	const { width = 1280, height = 900, scheme = 'light' } = options;
	const profile = await makeFolder(t);
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: chromiumPath(),
		// Without a sandbox only as root, where there can be none.
		args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
		viewport: { width, height },
		colorScheme: scheme,
		acceptDownloads: true,
		...(options.keepsPages && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
		timeout: PATIENCE,
	});
	context.setDefaultTimeout(PATIENCE);
	t.defer(() => context.close());
	const page = context.pages()[0] ?? (await context.newPage());
	const trouble: string[] = [];
	const { host } = new URL(url);
	page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
	page.on('console', (message) => {
		if (message.type() === 'error') {
			trouble.push(`console: ${message.text()}`);
		}
	});
	page.on('dialog', (dialog) => {
		trouble.push(`dialog: ${dialog.message()}`);
		void dialog.dismiss();
	});
	page.on('request', (request) => {
		const asked = new URL(request.url());
		if (asked.protocol !== 'blob:' && asked.protocol !== 'data:' && asked.host !== host) {
			trouble.push(`request: ${request.url()}`);
		}
	});
	await page.goto(url);
	return { page, context, profile, trouble };
}
