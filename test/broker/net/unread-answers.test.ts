import { Duplex } from 'node:stream';
import * as assert from 'uvu/assert';
import { UnreadAnswers } from '../../../broker/net/unread-answers.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('answers that clients do not read');
const PING = 0xc0;

/** A client to which `answers` bytes are written, one for each packet. */
function client(unread: UnreadAnswers, { isReading }: { isReading: boolean }) {
	const stream = new Duplex({
		read: () => {},
		// A client that does not read is a stream that never takes what is written.
		write: (_chunk, _encoding, taken) => isReading && taken(),
	});
	let isCut = false;
	const onPacket = unread.begin(stream, () => {
		isCut = true;
	});
	return {
		stream,
		ping: (times: number): void => {
			for (let count = 0; count < times && !isCut; count += 1) {
				onPacket(PING);
				stream.write('x');
			}
		},
		get isCut(): boolean {
			return isCut;
		},
	};
}

test('if all clients together leave too many answers unread, only the client with the most is cut', () => {
	const unread = new UnreadAnswers(1_000);
	const few = client(unread, { isReading: false });
	const most = client(unread, { isReading: false });
	const readers = Array.from({ length: 20 }, () => client(unread, { isReading: true }));
	few.ping(300);
	most.ping(600);
	for (const reader of readers) {
		reader.ping(500);
	}
	assert.not(most.isCut, 'what was read does not count');
	few.ping(99);
	assert.not(most.isCut);
	few.ping(10);
	assert.ok(most.isCut);
	assert.not(few.isCut);
	assert.not(readers.some(({ isCut }) => isCut));
});

test('a client that is gone leaves room for others', async () => {
	const unread = new UnreadAnswers(1_000);
	const gone = client(unread, { isReading: false });
	gone.ping(900);
	gone.stream.destroy();
	await new Promise((resolve) => gone.stream.once('close', resolve));
	const next = client(unread, { isReading: false });
	next.ping(900);
	assert.not(next.isCut);
});

test.run();
