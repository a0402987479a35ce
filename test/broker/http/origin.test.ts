import * as assert from 'uvu/assert';
import { mayAsk, parseOrigin } from '../../../broker/http/origin.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('origins of pages');

test('an allowed origin is compared as browsers write it', () => {
	const headers = { host: '127.0.0.1:8080', origin: 'https://lab.example' };
	for (const text of ['https://lab.example', 'https://Lab.example/', 'https://lab.example:443/a']) {
		assert.ok(mayAsk(headers, new Set(), new Set([parseOrigin(text)])), text);
	}
	const other = new Set([parseOrigin('https://lab.example:8443')]);
	assert.not.ok(mayAsk(headers, new Set(), other));
	assert.is(parseOrigin('app-scheme://Page'), 'app-scheme://Page');
});

test('what is no origin is refused', () => {
	for (const text of ['', 'lab.example', 'null', 'mailto:a@lab.example']) {
		throwsCode('ERR_USAGE', () => parseOrigin(text));
	}
});

test.run();
