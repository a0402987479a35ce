import * as assert from 'uvu/assert';
import { browserName } from '../../../../node/web/worker/browser-name.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('names of browsers');
const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';

test('the name contains the browser and the system, and nothing else', () => {
	const brands = ['Chromium', 'Not A Brand'];
	for (const [agent, expected] of [
		[`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36`, 'Chrome on Linux'],
		[
			`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0`,
			'Edge on Windows',
		],
		[
			'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0',
			'Firefox on macOS',
		],
		[
			`Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/156.0.0.0 Mobile Safari/537.36`,
			'Chrome on Android',
		],
		[
			'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
			'Safari on iOS',
		],
		['something else', 'a browser'],
	] as const) {
		assert.is(browserName(agent), expected);
	}
	const agent = `Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36`;
	assert.is(browserName(agent, brands), 'Chromium on Linux');
	assert.is(browserName(agent, [...brands, 'Google Chrome']), 'Chrome on Linux');
});

test.run();
