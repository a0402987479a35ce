import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { AuthenticateError, Client, PublishPacket } from 'aedes';
import * as assert from 'uvu/assert';
import { Authorizer } from '../../../broker/access/authorizer.ts';
import { makeTokens, type Role, type Tokens } from '../../../broker/access/token-auth.ts';
import { encodeJson, resolveLimits, Topics } from '../../../protocol/index.ts';
import { state } from '../../helpers/fixtures/registry.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('authorizer');
const topics = new Topics();
const ID = 'client-01';

function makeAuthorizer(tokens: Tokens): Authorizer {
	return new Authorizer({
		rules: { topics, limits: resolveLimits(), hasTracker: true },
		now: () => performance.now(),
		warn: () => {},
		queued: () => 0,
		tokens,
		isKept: () => false,
		channels: { check: () => true },
		audit: () => {},
		moved: () => {},
	});
}

/** Connects `client` with `token` and a secret. */
async function connect(authorizer: Authorizer, client: Client, token: string): Promise<void> {
	const isIn = await new Promise<boolean | null>((resolve, reject) => {
		const done = (error: AuthenticateError | null, success: boolean | null): void =>
			error === null ? resolve(success) : reject(error);
		authorizer.hooks.authenticate(client, client.id, Buffer.from(`${token}:secret`), done);
	});
	assert.ok(isIn);
}

/**
 * Connects a client with a will, and closes its connection.
 *
 * @returns why its will may not be published after that
 */
async function refusalOfWill(role: Role) {
	const tokens = makeTokens();
	const authorizer = makeAuthorizer(tokens);
	const payload = encodeJson(state('session-1'));
	const will = { topic: topics.nodeState(ID), payload, qos: 1, retain: true };
	const conn = new PassThrough();
	const client = { id: ID, conn, will } as unknown as Client;
	await connect(authorizer, client, tokens[role]);
	conn.destroy();
	await once(conn, 'close');
	const { authorizePublish } = authorizer.hooks;
	return new Promise<string | undefined>((resolve) => {
		authorizePublish(client, will as unknown as PublishPacket, (error) => resolve(error?.message));
	});
}

test('T7: the will of a watcher is refused after its connection has closed, that of a node is not', async () => {
	assert.match((await refusalOfWill('watch')) ?? '', /is not published: watcher$/);
	assert.is(await refusalOfWill('node'), undefined);
});

test('T8: a watcher may neither publish nor receive chunks', async () => {
	const tokens = makeTokens();
	const authorizer = makeAuthorizer(tokens);
	const [node, watcher] = [ID, 'watcher-1'].map((id) => {
		return { id, conn: new PassThrough() } as unknown as Client;
	}) as [Client, Client];
	await connect(authorizer, node, tokens.node);
	await connect(authorizer, watcher, tokens.watch);
	const swarm = (from: string) => ({ kind: 'swarm', seed: 'a'.repeat(64), from }) as const;
	assert.ok(authorizer.mayPublish(node, swarm(ID)));
	assert.not(authorizer.mayPublish(node, swarm('other-001')));
	assert.not(authorizer.mayPublish(watcher, swarm('watcher-1')));
	assert.ok(authorizer.mayDeliver(node, swarm('other-001')));
	assert.not(authorizer.mayDeliver(watcher, swarm('other-001')));
});

test('T22: clients with an old token are disconnected when the tokens are replaced, the others stay', async () => {
	const tokens = makeTokens();
	const authorizer = makeAuthorizer(tokens);
	const conns = await Promise.all(
		[tokens.node, tokens.watch].map(async (token, number) => {
			const conn = new PassThrough();
			await connect(authorizer, { id: `client-1${number}`, conn } as unknown as Client, token);
			return conn;
		}),
	);
	authorizer.setTokens({ ...makeTokens(), watch: tokens.watch });
	assert.equal(
		conns.map(({ destroyed }) => destroyed),
		[true, false],
	);
});

test.run();
