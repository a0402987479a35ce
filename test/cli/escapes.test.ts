import { spawn } from 'node:child_process';
import * as assert from 'uvu/assert';
import { encodeJson, makeSession, Topics } from '../../protocol/index.ts';
import {
	connectPacket,
	connectRaw,
	openRaw,
	publishPacket,
	subscribePacket,
} from '../helpers/adversaries/raw-client.ts';
import { announce, seedId, state } from '../helpers/fixtures/registry.ts';
import { CACHELESS, MAIN } from '../helpers/harness/shoal.ts';
import { type Scope, suite } from '../helpers/harness/suite.ts';
import { until } from '../helpers/harness/until.ts';

const test = suite('unprintable characters from others');
const topics = new Topics();
const EVIL = '\x1b]0;owned\x07\x9b31m\u202e\r\nforged: line';
const NAME = 'a\u202egnp.exe';
const ID = 'evil-0001';

/** Starts a command until the test ends. @returns its standard output and standard error */
function start(t: Scope, ...args: string[]): { text: () => string } {
	const child = spawn(process.execPath, [MAIN, ...args], { env: CACHELESS });
	t.defer(() => child.kill('SIGKILL'));
	const written: Buffer[] = [];
	for (const stream of [child.stdout, child.stderr]) {
		stream.on('data', (bytes) => written.push(bytes));
	}
	return { text: () => Buffer.concat(written).toString() };
}

/** Sends unprintable characters in every place where a client can send text. */
async function attack(t: Scope, port: number): Promise<void> {
	const strange = await openRaw(t, port);
	strange.socket.write(connectPacket(`evil${EVIL}`));
	const rubbish = await openRaw(t, port);
	rubbish.socket.write(Buffer.from(EVIL.repeat(10)));
	for (const bytes of [
		subscribePacket(`shoal/1/inbox/${EVIL}/#`),
		publishPacket(`shoal/1/node/${EVIL}/state`, Buffer.from(EVIL), 0x33),
		publishPacket(topics.announce(seedId(7), 'else-0001'), Buffer.from(EVIL), 0x33),
		publishPacket(
			topics.announce(seedId(7), ID),
			Buffer.from(JSON.stringify({ name: EVIL })),
			0x33,
		),
		publishPacket(topics.trackerRequest(ID), Buffer.from(EVIL)),
		publishPacket(topics.nodeState(ID), encodeJson(state('session-1', 'ready', [EVIL])), 0x33),
	]) {
		const client = await connectRaw(t, port, ID);
		client.socket.end(bytes);
		await until('it has ended', client.isClosed);
	}
	const session = makeSession();
	const lasting = await connectRaw(t, port, ID);
	lasting.socket.write(publishPacket(topics.nodeState(ID), encodeJson(state(session)), 0x33));
	const named = encodeJson(announce(session, { name: NAME }));
	lasting.socket.write(publishPacket(topics.announce(seedId(7), ID), named, 0x33));
}

for (const [how, flags] of [
	['in lines', []],
	['as JSON', ['--json']],
] as const) {
	test(`T21: no command writes unprintable characters ${how}, whatever other clients send`, async (t) => {
		const broker = start(t, 'broker', '--port', '0', '--log-level', 'debug', ...flags);
		const url = () => /mqtt:\/\/127\.0\.0\.1:\d+/.exec(broker.text())?.[0] ?? '';
		await until('it listens', () => url() !== '');
		const watch = start(t, 'watch', '--broker', url(), ...flags);
		await until('watch prints something', () => flags.length === 0 || watch.text() !== '');
		await attack(t, Number(new URL(url()).port));
		await until('the printable form of the name is there', () => watch.text().includes('gnp.exe'));
		const lists = ['ls', `who ${seedId(7)}`, `get ${seedId(7)} --no-linger -o /dev/null`].map(
			(line) => start(t, ...line.split(' '), '--broker', url(), ...flags),
		);
		await until('both are listed', () => lists.slice(0, 2).every(({ text }) => text() !== ''));
		await until('the broker complains', () => broker.text().split('\n').length > 5);
		for (const { text } of [broker, watch, ...lists]) {
			assert.not.match(text().replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
			assert.not.match(text(), /^forged/m);
		}
	});
}

test.run();
