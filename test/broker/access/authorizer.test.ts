import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { AuthenticateError, Client, PublishPacket } from 'aedes';
import * as assert from 'uvu/assert';
import { Authorizer } from '../../../broker/access/authorizer.ts';
import { makeTokens, type Role } from '../../../broker/access/token-auth.ts';
import { encodeJson, resolveLimits, Topics } from '../../../protocol/index.ts';
import { state } from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('authorizer');
const topics = new Topics();
const ID = 'client-01';

/**
 * Connects a client with a will, and closes its connection.
 *
 * @returns why its will may not be published after that
 */
async function refusalOfWill(role: Role) {
	const tokens = makeTokens();
	const { authenticate, authorizePublish } = new Authorizer({
		rules: { topics, limits: resolveLimits(), hasTracker: true },
		now: () => performance.now(),
		warn: () => {},
		queued: () => 0,
		tokens,
		isKept: () => false,
		channels: { check: () => true },
		audit: () => {},
		moved: () => {},
	}).hooks;
	const payload = encodeJson(state('session-1'));
	const will = { topic: topics.nodeState(ID), payload, qos: 1, retain: true };
	const conn = new PassThrough();
	const client = { id: ID, conn, will } as unknown as Client;
	const secret = Buffer.from(`${tokens[role]}:secret`);
	const isIn = await new Promise<boolean | null>((resolve, reject) => {
		const done = (error: AuthenticateError | null, success: boolean | null): void =>
			error === null ? resolve(success) : reject(error);
		authenticate(client, ID, secret, done);
	});
	assert.ok(isIn);
	conn.destroy();
	await once(conn, 'close');
	return new Promise<string | undefined>((resolve) => {
		authorizePublish(client, will as unknown as PublishPacket, (error) => resolve(error?.message));
	});
}

test('T7: the will of a watcher is refused after its connection has closed, that of a node is not', async () => {
	assert.match((await refusalOfWill('watch')) ?? '', /is not published: watcher$/);
	assert.is(await refusalOfWill('node'), undefined);
});

test.run();
