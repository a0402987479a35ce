import * as assert from 'uvu/assert';
import {
	type ContentName,
	isNamed,
	isStartOfId,
	parseContentName,
} from '../../../protocol/seed/content-name.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('text that names a content');
const ID = '5d944441ad5b61f44323baf462706d9fbcbbc5ca6d908fe70e985c939926da58';
const BROKER = 'mqtt://10.0.0.5:1883';
const LINK = `shoal:${ID}?name=disk.img&broker=${encodeURIComponent(BROKER)}`;

test('an id is accepted in upper or lower case, with white space or quotes, and on several lines', () => {
	for (const text of [
		ID,
		ID.toUpperCase(),
		`  ${ID}\n`,
		`"${ID}"`,
		`'${ID}'`,
		` “${ID}” `,
		`<${ID}>`,
		`${ID.slice(0, 40)}\n  ${ID.slice(40)}`,
	]) {
		assert.equal(parseContentName(text), { id: ID }, text);
	}
});

test('a link is accepted with quotes and line breaks, and its broker is kept', () => {
	const link = { id: ID, name: 'disk.img', broker: BROKER };
	assert.equal(parseContentName(LINK), link);
	assert.equal(parseContentName(`'${LINK}'\n`), link);
	assert.equal(parseContentName(`${LINK.slice(0, 50)}\r\n${LINK.slice(50)}`), link);
	assert.equal(parseContentName(`SHOAL:${ID.toUpperCase()}`), { id: ID });
});

test('the web address of a file at a page or gateway gives the id, and no broker', () => {
	for (const address of [
		`http://10.0.0.5:8080/#${ID}`,
		`http://10.0.0.5:8080/#/${ID}`,
		`https://lab.example/#/seed/${ID.toUpperCase()}`,
		`http://[::1]:8080/files/${ID}`,
		`http://10.0.0.5:8080/seeds/${ID}/`,
		`http://10.0.0.5:8080/files/${ID}/`,
		`http://10.0.0.5:8080/files/${ID}.zip`,
		`https://lab.example/shoal/files/${ID}?x=1`,
		`"http://10.0.0.5:8080/#/${ID}"`,
		`10.0.0.5:8080/#/${ID}`,
	]) {
		assert.equal(parseContentName(address), { id: ID }, address);
	}
});

test('an incomplete link or id is looked up by the start of the id', () => {
	const looked: ReadonlyArray<readonly [string, string]> = [
		[ID.slice(0, 6), ID.slice(0, 6)],
		[ID.slice(0, 63), ID.slice(0, 63)],
		[`${ID.slice(0, 12)}…`, ID.slice(0, 12)],
		[`${ID.slice(0, 12)}...`, ID.slice(0, 12)],
		[`shoal:${ID.slice(0, 40)}`, ID.slice(0, 40)],
		[`'shoal:${ID.slice(0, 40)}…'`, ID.slice(0, 40)],
	];
	for (const [text, lookup] of looked) {
		assert.equal(parseContentName(text), { lookup }, text);
	}
});

test('any other text is a name, which may contain white space', () => {
	const names: ReadonlyArray<readonly [string, string]> = [
		['disk.img', 'disk.img'],
		['"my holiday.mp4"', 'my holiday.mp4'],
		[' it\'s "it".txt ', 'it\'s "it".txt'],
		['5d944', '5d944'],
		['café.txt', 'café.txt'],
	];
	for (const [text, lookup] of names) {
		assert.equal(parseContentName(text) as ContentName, { lookup }, text);
	}
});

test('the error about text that names no content says what the text is', () => {
	const cases: ReadonlyArray<readonly [string, 'ERR_ID' | 'ERR_LINK', string]> = [
		['', 'ERR_ID', '64 hexadecimal digits'],
		['""', 'ERR_ID', '64 hexadecimal digits'],
		[`${ID}0`, 'ERR_ID', '64 hexadecimal digits'],
		['shoal:xyz', 'ERR_LINK', 'is no link'],
		['shoal:5d9', 'ERR_LINK', 'is no link'],
		['shoal:join?broker=x&token=secret', 'ERR_LINK', 'that is a join link'],
		['http://10.0.0.5:8080/', 'ERR_LINK', 'web address that names no file'],
		['http://10.0.0.5:8080/#nodes', 'ERR_LINK', 'web address that names no file'],
		[`http://10.0.0.5/other/${ID}`, 'ERR_LINK', 'web address that names no file'],
		[BROKER, 'ERR_LINK', '--broker'],
		['ftp://x/y', 'ERR_LINK', 'names no file'],
		['http://', 'ERR_LINK', 'names no file'],
	];
	for (const [text, code, message] of cases) {
		assert.match(throwsCode(code, () => parseContentName(text), text).message, message);
	}
	const secret = throwsCode('ERR_LINK', () => parseContentName('http://u:hidden@h/?t=hidden#x'));
	assert.not.match(secret.message, 'hidden');
});

test('a listing matches its name, its name as it is shown, and the start of its id', () => {
	const seed = ID;
	assert.ok(isNamed({ seed, name: 'disk.img' }, 'disk.img'));
	assert.not(isNamed({ seed, name: 'disk.img' }, 'Disk.img'));
	assert.not(isNamed({ seed, name: 'disk.img' }, 'disk'));
	assert.ok(isNamed({ seed, name: 'a\u202eb' }, 'a\\u{202e}b'));
	assert.ok(isNamed({ seed, name: 'cafe\u0301' }, 'caf\u00e9'));
	assert.ok(isNamed({ seed, name: 'x' }, ID.slice(0, 6).toUpperCase()));
	assert.not(isNamed({ seed, name: 'x' }, ID.slice(0, 5)));
	assert.not(isNamed({ seed, name: 'x' }, ID.slice(1, 9)));
	assert.ok(isStartOfId('abcdef') && !isStartOfId('abcde') && !isStartOfId(ID));
});

test.run();
