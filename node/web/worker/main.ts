import type { Order } from '../messages.ts';
import { Desk } from './page-session.ts';

const desk = new Desk((news) => postMessage(news));

/** What goes wrong is told where it happens. */
function obey(order: Order): void {
	switch (order.do) {
		case 'open':
			void desk.open(order);
			break;
		case 'look':
			desk.look(order.at);
			break;
		case 'get':
			void desk.get(order.id, order.name);
			break;
		case 'share':
			void desk.share(order.file);
			break;
		case 'remove':
			desk.remove(order.id);
			break;
		case 'save':
			desk.save(order.id);
			break;
	}
}

addEventListener('message', ({ data }: MessageEvent<Order>) => obey(data));
