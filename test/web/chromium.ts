import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { makeFolder } from '../helpers/fixtures/folder.ts';
import type { Scope } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';
import { stopReports } from './worker-traffic.ts';

/** The timeout for everything in a tab, ms: long enough for a busy machine. */
const TIMEOUT = 100_000;

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Returns the path of Chromium on this machine. @throws Error if there is none */
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
	/**
	 * Whether the browser keeps pages that are left in its back/forward cache, as browsers of users
	 * do.
	 */
	readonly keepsPages?: boolean;
	/** Whether the browser keeps its reports about the network of workers, see {@link stopReports}. */
	readonly keepsReports?: boolean;
}

/** A tab of a separate browser, and the errors in it. */
export interface Tab {
	readonly page: Page;
	readonly context: BrowserContext;
	/** The folder of the profile, which is part of the command line of the browser. */
	readonly profile: string;
	/** Errors of the page and of its worker, dialogs, and requests to another host. */
	readonly trouble: string[];
}

/**
 * Opens `url` in a browser with its own profile on the disk, so that a page stores its data in
 * files, as for a user. The browser is closed when the test ends.
 */
export async function openTab(t: Scope, url: string, options: TabOptions = {}): Promise<Tab> {
	const { width = 1280, height = 900, scheme = 'light' } = options;
	const profile = await makeFolder(t);
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: chromiumPath(),
		// Chromium has no sandbox as root, so only then it is switched off.
		args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
		viewport: { width, height },
		colorScheme: scheme,
		acceptDownloads: true,
		...(options.keepsPages && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
		timeout: TIMEOUT,
	});
	context.setDefaultTimeout(TIMEOUT);
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
	if (!options.keepsReports) {
		page.on('worker', (worker) => {
			stopReports(worker).catch((error) => {
				// A worker that has ended meanwhile, for example by a reload, needs nothing.
				if (page.workers().includes(worker)) {
					trouble.push(`worker: ${error.message}`);
				}
			});
		});
	}
	await page.goto(url);
	return { page, context, profile, trouble };
}

/**
 * Resolves when the page has removed all its files. A reload before that ends its worker at once, so
 * that the files stay.
 */
export async function untilNothingIsKept(page: Page): Promise<void> {
	const names = `(async () => {
		const root = await navigator.storage.getDirectory();
		return await Array.fromAsync((await root.getDirectoryHandle('shoal')).keys());
	})()`;
	await until('nothing is kept', async () => {
		return (await page.evaluate<string[]>(names)).length === 0;
	});
}
