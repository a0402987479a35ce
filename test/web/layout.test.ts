import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { encodeJson, Topics } from '../../protocol/index.ts';
import { state } from '../helpers/fixtures/registry.ts';
import { Member } from '../helpers/harness/member.ts';
import { suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';
import { findings } from './axe.ts';
import { openTab } from './chromium.ts';
import { announceMany } from './listed.ts';
import { spawnServed } from './served.ts';

const test = suite('the layout of the page', { timeout: 300_000 });
const SEEDS = 200;

interface Box {
	readonly top: number;
	readonly bottom: number;
	readonly width: number;
}

interface Names {
	/** The width of the narrowest name, in px, and the names whose end is not visible. */
	readonly narrowest: number;
	readonly clipped: string[];
	readonly heights: number[];
	/** Figures that are cut off. */
	readonly cut: string[];
	readonly tooWide: number;
}

const NAMES = `(() => {
	const links = [...document.querySelectorAll('td.name a')];
	const rows = [...document.querySelectorAll('tbody tr:not(.spacer)')];
	return {
		narrowest: Math.min(...links.map(({ clientWidth }) => clientWidth)),
		clipped: links
			.filter(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 1)
			.map(({ innerText }) => innerText),
		cut: [...document.querySelectorAll('dd')]
			.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
			.map(({ textContent }) => textContent),
		heights: [...new Set(rows.map((row) => row.getBoundingClientRect().height))],
		tooWide: document.documentElement.scrollWidth - innerWidth,
	};
})()`;
const FIRST_ROW = `(({ top, bottom, width }) => ({ top, bottom, width }))(
	document.querySelector('tbody tr:not(.spacer)').getBoundingClientRect())`;

/** Makes a node report that it receives `down` bytes per second. */
async function say({ id, link }: Member, down: number): Promise<void> {
	await link.retain(new Topics().nodeState(id), encodeJson({ ...state(link.session), down }));
}

test('the names of 200 files are readable, and the first file is visible, at any width of the screen', async (t) => {
	const { url, page: address } = await spawnServed(t);
	const member = await announceMany(t, url, SEEDS);
	await say(member, 27_600_000);
	const { page, trouble } = await openTab(t, address);
	await page.locator('.totals dd').getByText(String(SEEDS), { exact: true }).waitFor();
	await page.locator('.totals dd').getByText('27.6 MB/s').waitFor();
	for (const [width, height, least] of [
		[320, 640, 200],
		[360, 640, 240],
		[414, 736, 290],
		// The width of a window of 1280 px at a zoom of 200 %.
		[640, 450, 500],
		[768, 1_024, 250],
		[1_280, 900, 480],
	] as const) {
		const at = `at ${width} px`;
		await page.setViewportSize({ width, height });
		await page.evaluate('scrollTo(0, 0)');
		await page.locator(`table[aria-rowcount="${SEEDS + 1}"] tr[aria-rowindex="2"]`).waitFor();
		const first = await page.evaluate<Box>(FIRST_ROW);
		assert.ok(first.bottom <= height, `${at} the first file ends at ${first.bottom} px`);
		// Rows at the start, in the middle and at the end, because names of one kind are sorted
		// together.
		for (const row of [2, 60, 110, 150, SEEDS + 1]) {
			await page.evaluate(`scrollTo(0, document.querySelector('table').offsetTop +
				${row - 4} * document.querySelector('tbody tr:not(.spacer)').offsetHeight)`);
			await page.locator(`tr[aria-rowindex="${row}"]`).waitFor();
			const { narrowest, clipped, cut, heights, tooWide } = await page.evaluate<Names>(NAMES);
			assert.ok(narrowest >= least, `${at} a name has ${narrowest} px`);
			assert.equal(clipped, [], at);
			assert.equal(cut, [], at);
			assert.is(heights.length, 1, `${at} rows are ${heights} px high`);
			assert.ok(tooWide <= 0, `${at} the page is ${tooWide} px too wide`);
		}
		assert.equal(await findings(page), [], at);
	}
	// In a narrow window without table headings, the list can still be sorted.
	await page.setViewportSize({ width: 360, height: 640 });
	await page.evaluate('scrollTo(0, 0)');
	await page.getByLabel('Sort').selectOption('length');
	await page.locator('tr[aria-rowindex="2"] a').getByText(/0199/).first().waitFor();
	assert.equal(trouble, []);
});

/** Measures of the chart, px. */
interface Curves {
	/** The space above the highest point of a curve. */
	readonly above: number;
	/** The thickness of the curve at that point, up to 2. */
	readonly thick: number;
	/** The space below everything that is drawn, the times on the axis included. */
	readonly below: number;
	/** Width and height of the canvas, then of the place for it. */
	readonly sizes: readonly [number, number, number, number];
}

/** Measures the drawn chart; undefined if there is no curve. */
async function curvesOf(page: Page): Promise<Curves | undefined> {
	return await page.evaluate(`(() => {
		const canvas = document.querySelector('.history canvas');
		if (canvas === null) {
			return undefined;
		}
		const { width, height } = canvas;
		const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
		const probe = document.createElement('canvas').getContext('2d');
		const colours = [...document.querySelectorAll('.key')].map((key) => {
			probe.fillStyle = getComputedStyle(key, '::before').backgroundColor;
			probe.fillRect(0, 0, 1, 1);
			return probe.getImageData(0, 0, 1, 1).data;
		});
		const rows = new Set();
		let last = 0;
		for (let at = 0; at < data.length; at += 4) {
			const row = Math.floor(at / 4 / width);
			last = data[at + 3] > 100 ? row : last;
			const isOf = (colour) => [0, 1, 2].every((part) => Math.abs(colour[part] - data[at + part]) < 12);
			if (data[at + 3] > 200 && colours.some(isOf)) {
				rows.add(row);
			}
		}
		const above = Math.min(...rows);
		const { clientWidth, clientHeight } = document.querySelector('.history > div');
		return rows.size === 0
			? undefined
			: {
				above,
				thick: rows.has(above + 1) ? 2 : 1,
				below: height - last - 1,
				sizes: [width, height, clientWidth, clientHeight],
			};
	})()`);
}

test('the curves are completely visible, at any rate and at any size of the chart', async (t) => {
	const { url, page: address } = await spawnServed(t);
	const member = await Member.join(t, url);
	for (const scheme of ['light', 'dark'] as const) {
		await say(member, 0);
		const { page, context, trouble } = await openTab(t, address, { scheme });
		const isWhole = async (): Promise<boolean> => {
			const curves = await curvesOf(page);
			if (curves === undefined) {
				return false;
			}
			const { above, thick, below, sizes } = curves;
			const [width, height, roomWide, roomHigh] = sizes;
			// A point between two samples may be thinner. Then this is repeated with the next
			// sample.
			return above >= 4 && thick === 2 && below <= 12 && width === roomWide && height === roomHigh;
		};
		// At the first sample no node receives anything.
		await until(`the first sample, ${scheme}`, isWhole);
		for (const [width, rate, text] of [
			[1_280, 1, 'nodes receive 1 B/s'],
			[360, 40_000, 'nodes receive 40 kB/s'],
			[768, 7_300_000_000, 'nodes receive 7.3 GB/s'],
			[360, 0, /receive $/],
		] as const) {
			await page.setViewportSize({ width, height: 740 });
			await say(member, rate);
			await page.locator('.key.down').filter({ hasText: text }).waitFor();
			await until(`whole curves of ${rate} B/s at ${width} px, ${scheme}`, isWhole);
		}
		assert.equal(trouble, []);
		await context.close();
	}
});

test.run();
