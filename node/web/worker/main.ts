import type { Order } from '../messages.ts';
import { PageSession } from './page-session.ts';

const session = new PageSession((news) => postMessage(news));

/** What goes wrong is told where it happens. */
function obey(order: Order): void {
	switch (order.do) {
		case 'open':
			void session.open(order);
			break;
		case 'look':
			session.look(order.at);
			break;
		case 'get':
			void session.get(order.id, order.name);
			break;
		case 'share':
			void session.share(order.file);
			break;
		case 'remove':
			session.remove(order.id);
			break;
		case 'save':
			session.save(order.id);
			break;
	}
}

addEventListener('message', ({ data }: MessageEvent<Order>) => obey(data));
