import * as assert from 'uvu/assert';
import { csvLine } from '../../../../node/cli/terminal/csv.ts';
import { suite } from '../../../helpers/harness/suite.ts';

const test = suite('CSV');

test('fields are quoted where they must be, and no spreadsheet takes a name for a formula', () => {
	assert.is(csvLine(['a', '', 'b c', '5']), 'a,,b c,5');
	assert.is(csvLine(['a,b', 'say "hi"', 'two\nlines']), '"a,b","say ""hi""","two\nlines"');
	assert.is(csvLine(['=1+1', '+1', '-1', '@x']), "'=1+1,'+1,'-1,'@x");
	assert.is(csvLine(['=a,"b"']), `"'=a,""b"""`);
});

test.run();
