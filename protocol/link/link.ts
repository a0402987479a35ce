import { BaseLink, type LinkOptions } from './base-link.ts';
import { Connection } from './connection.ts';

/** A link over TCP, TLS or WebSocket, as its URL says. Its connections are made by MQTT.js. */
export class Link extends BaseLink {
	/**
	 * Connects for the first time. A broker that is full is tried again for five seconds.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED
	 */
	static async open(options: LinkOptions): Promise<Link> {
		const link = new Link(options, (each) => Connection.open(each));
		await link.begin();
		return link;
	}
}
