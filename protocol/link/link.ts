import { BaseLink, type LinkOptions } from './base-link.ts';
import { Connection } from './connection.ts';

/** A link over TCP, TLS or WebSocket, depending on its URL. MQTT.js makes its connections. */
export class Link extends BaseLink {
	/**
	 * Connects for the first time. If the broker accepts no more clients, tries again for five
	 * seconds.
	 *
	 * @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED
	 */
	static async open(options: LinkOptions): Promise<Link> {
		const link = new Link(options, (each) => Connection.open(each));
		await link.begin();
		return link;
	}
}
