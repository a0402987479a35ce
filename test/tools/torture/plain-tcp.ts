import { connect, createServer } from 'node:net';

// `plain-tcp.js serve BYTES` sends that number of bytes to each client of port 7777;
// `plain-tcp.js HOST` reads them, and prints the ms from the first byte to the last.

const PORT = 7_777;
const [, , what = '', bytes] = process.argv;

if (what === 'serve') {
	createServer((socket) => {
		socket.on('error', () => {});
		socket.end(new Uint8Array(Number(bytes)));
	}).listen(PORT, () => console.log('ready'));
} else {
	const socket = connect(PORT, what);
	let startedAt = 0;
	socket.on('data', () => {
		startedAt ||= performance.now();
	});
	socket.on('end', () => {
		console.log(performance.now() - startedAt);
		socket.destroy();
	});
}
