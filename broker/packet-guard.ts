import type { Client } from 'aedes';
import type { Limits } from '../protocol/index.ts';

/** The part of Aedes 1.2.0 and its mqtt-packet 9 parser that is used here; neither is public. */
interface ParsingClient {
	readonly _parser: {
		readonly packet: { readonly cmd: string; readonly length: number };
		_parseLength(): boolean;
		_emitError(error: Error): void;
	};
}

/**
 * Bounds what a client can make the broker hold before a packet is complete: the length that a
 * header claims, and that the first packet is a CONNECT. Aedes 1.2.0 has no such limit and would
 * collect 256 MB from a stranger. It overrides a private method, which is why package.json pins
 * Aedes to one version; the test of T3 tells when that breaks.
 */
export function guardPackets(client: Client, limits: Limits): void {
	const parser = (client as unknown as ParsingClient)._parser;
	const parseLength = parser._parseLength;
	let isFirst = true;
	parser._parseLength = function (): boolean {
		if (!parseLength.call(this)) {
			return false;
		}
		const { cmd, length } = this.packet;
		const most = client.connected ? limits.packet : limits.connectPacket;
		if (length > most) {
			this._emitError(new Error(`a packet of ${length} bytes is larger than ${most}`));
			return false;
		}
		if (isFirst && cmd !== 'connect') {
			this._emitError(new Error(`the first packet is a ${cmd}, no connect`));
			return false;
		}
		isFirst = false;
		return true;
	};
}
