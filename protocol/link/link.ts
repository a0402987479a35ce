import { BaseLink, type LinkOptions } from './base-link.ts';
import { Connection } from './connection.ts';

/** A link whose connections MQTT.js makes: over TCP, TLS or WebSocket, as its URL says. */
export class Link extends BaseLink {
	/**
	 * Connects for the first time.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED
	 */
	static async open(options: LinkOptions): Promise<Link> {
		const link = new Link(options, (each) => Connection.open(each));
		await link.begin();
		return link;
	}
}
