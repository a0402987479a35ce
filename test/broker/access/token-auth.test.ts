import * as assert from 'uvu/assert';
import { makeTokens, readPassword, TokenAuth } from '../../../broker/access/token-auth.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('token auth');

test('T20: tokens have 128 random bits, and no two are the same', () => {
	const tokens = Array.from({ length: 100 }, makeTokens).flatMap(({ node, watch }) => [
		node,
		watch,
	]);
	assert.is(new Set(tokens).size, 200);
	assert.ok(tokens.every((token) => Buffer.from(token, 'base64url').length === 16));
});

test('each token gives its role, node or watch, and any other text gives none', () => {
	const tokens = makeTokens();
	const tokenAuth = new TokenAuth(tokens, fakeClock().now);
	assert.is(tokenAuth.roleOf(tokens.node), 'node');
	assert.is(tokenAuth.roleOf(tokens.watch), 'watch');
	for (const wrong of ['', 'node', `${tokens.node} `, tokens.node.slice(1), 'undefined']) {
		assert.is(tokenAuth.roleOf(wrong), undefined);
	}
	const renewed = makeTokens();
	tokenAuth.set(renewed);
	assert.is(tokenAuth.roleOf(tokens.node), undefined);
	assert.is(tokenAuth.roleOf(renewed.node), 'node');
});

test('if the broker has no tokens, every client has the role node', () => {
	assert.is(new TokenAuth(undefined, fakeClock().now).roleOf('anything'), 'node');
});

test('T20: after five wrong tokens an address has to wait; a minute later the count starts again', () => {
	const clock = fakeClock();
	const tokenAuth = new TokenAuth(makeTokens(), clock.now);
	const tries = Array.from({ length: 7 }, () => tokenAuth.wrong('10.0.0.1'));
	assert.equal(tries, [0, 0, 0, 0, 0, 2_000, 2_000]);
	assert.is(tokenAuth.wrong('10.0.0.2'), 0);
	clock.advance(60_001);
	assert.is(tokenAuth.wrong('10.0.0.1'), 0);
});

test('a password is token:secret; without a colon the whole password is token and secret', () => {
	const read = (text: string, isClosed = false) => {
		const { token, secret } = readPassword(Buffer.from(text), isClosed);
		return [token, secret?.toString()];
	};
	assert.equal(read('token:secret:more'), ['token', 'secret:more']);
	assert.equal(read(':secret'), ['', 'secret']);
	assert.equal(read('plain'), ['plain', 'plain']);
	assert.equal(read('plain', true), ['plain', undefined], 'T9: a shared token protects no id');
	assert.equal(readPassword(undefined, false), { token: '', secret: undefined });
});

test.run();
