import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { AuditLog } from '../../../broker/access/audit-log.ts';
import { makeFolder } from '../../helpers/fixtures/folder.ts';
import { fakeClock } from '../../helpers/harness/clock.ts';
import { type Scope, suite } from '../../helpers/harness/suite.ts';

const test = suite('audit log');
const refusal = { id: 'client-01', address: '10.0.0.1', reason: 'token', about: 'connect' };

async function start(t: Scope) {
	const path = join(await makeFolder(t), 'audit.jsonl');
	const clock = fakeClock();
	const lines = () => readFileSync(path, 'utf8').trimEnd().split('\n');
	return { path, clock, lines, log: new AuditLog(path, clock.now) };
}

test('T10: a flood of refusals writes 200 lines and then 20 a second; the next line says how many were left out', async (t) => {
	const { clock, log, lines } = await start(t);
	for (let count = 0; count < 1_000; count += 1) {
		log.write(refusal);
	}
	assert.is(lines().length, 200);
	clock.advance(50);
	log.write(refusal);
	assert.is(JSON.parse(lines().at(-1) as string).leftOut, 800);
	log.write(refusal);
	assert.is(lines().length, 201);
});

test('T21: a line has no control character, and is short, whatever a client sends', async (t) => {
	const { log, lines } = await start(t);
	const text = `\x1b]0;x\n\u202e${'x'.repeat(100_000)}`;
	log.write({ ...refusal, id: text, about: text });
	assert.is(lines().length, 1);
	assert.match(lines()[0] as string, /^[ -~]{1,600}$/);
});

test('at 4 MiB a new file is begun, and the one before is kept', async (t) => {
	const { path, log, lines } = await start(t);
	writeFileSync(path, 'x'.repeat(4 * 1024 * 1024));
	log.write(refusal);
	assert.is(lines().length, 1);
	assert.is(readFileSync(`${path}.old`).length, 4 * 1024 * 1024);
});

test.run();
