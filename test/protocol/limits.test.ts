import * as assert from 'uvu/assert';
import { DEFAULT_LIMITS, LIMIT_NAMES, LIMIT_TABLE, resolveLimits } from '../../protocol/limits.ts';
import { suite } from '../helpers/harness/suite.ts';
import { throwsCode } from '../helpers/harness/throws-code.ts';

const test = suite('limits');

test('the defaults have the documented values', () => {
	const KIB = 1024;
	const expected = {
		connectPacket: 64 * KIB,
		packet: 1025 * KIB,
		incoming: 96 * 1024 * KIB,
		controlPayload: 64 * KIB,
		part: 1024 * KIB,
		outstanding: 4096 * KIB,
		shedQueue: 4096 * KIB,
		cutQueue: 8192 * KIB,
		clients: 2_000,
		subscriptions: 48,
		nodeAnnounces: 1_000,
		announces: 100_000,
		ttl: 90_000,
		renewal: 30_000,
		keepalive: 15,
		requestQueue: 64,
		badAnswers: 2,
	};
	for (const [name, value] of Object.entries(expected)) {
		assert.is(DEFAULT_LIMITS[name as keyof typeof expected], value, name);
	}
});

test('the default limits fit each other', () => {
	const limits = DEFAULT_LIMITS;
	assert.ok(
		limits.part + 52 + 256 < limits.packet,
		'a full part with header and topic is a packet',
	);
	assert.ok(limits.controlPayload < limits.packet);
	assert.ok(limits.shedQueue < limits.cutQueue, 'chunks are shed before the connection is cut');
	assert.ok(limits.renewal * 1.2 * 2 < limits.ttl, 'an announce survives one lost renewal');
});

test('every row of the table can be printed', () => {
	assert.ok(LIMIT_NAMES.length > 20);
	for (const name of LIMIT_NAMES) {
		const { value, unit, about } = LIMIT_TABLE[name];
		assert.is(value, DEFAULT_LIMITS[name]);
		assert.ok(Number.isSafeInteger(value) && value > 0, name);
		assert.type(unit, 'string');
		assert.ok(about.length > 10, name);
	}
});

test('changes replace default values, and do not modify the defaults themselves', () => {
	assert.equal(resolveLimits(), DEFAULT_LIMITS);
	const limits = resolveLimits({ ttl: 2_000 });
	assert.equal(limits, { ...DEFAULT_LIMITS, ttl: 2_000 });
	assert.is(DEFAULT_LIMITS.ttl, 90_000);
});

test('a name that is no limit is refused, also the name of an inherited property', () => {
	for (const name of ['tll', '', 'constructor', 'toString', '__proto__']) {
		const changes = JSON.parse(`{${JSON.stringify(name)}:1}`);
		throwsCode('ERR_USAGE', () => resolveLimits(changes), name);
	}
});

test('a value that is no whole number above 0 is refused', () => {
	for (const value of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, '7', null]) {
		throwsCode('ERR_USAGE', () => resolveLimits({ ttl: value as number }), String(value));
	}
});

test('a time that is too long for the timers that use it is refused', () => {
	for (const [name, most] of [
		['connectTime', 2 ** 31 - 1],
		['renewal', 2 ** 30 - 1],
		['keepalive', 65_535],
	] as const) {
		assert.is(resolveLimits({ [name]: most })[name], most);
		throwsCode('ERR_USAGE', () => resolveLimits({ [name]: most + 1 }), name);
	}
	assert.is(resolveLimits({ ttl: 2 ** 40 }).ttl, 2 ** 40);
});

test.run();
