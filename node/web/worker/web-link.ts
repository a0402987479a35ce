import { BaseLink, type LinkOptions } from '../../../protocol/index.ts';
import { WebConnection } from '../mqtt/web-connection.ts';

/** A link over the WebSocket of a browser. */
export class WebLink extends BaseLink {
	/** Connects for the first time. @throws ShoalError ERR_BROKER, ERR_ID_TAKEN, ERR_REFUSED */
	static async open(options: LinkOptions): Promise<WebLink> {
		const link = new WebLink(options, (each) => WebConnection.open(each));
		await link.begin();
		return link;
	}
}
