import { Broker, type BrokerOptions } from '../../../broker/index.ts';
import type { Scope } from './suite.ts';

/** A broker on a free port that is closed when the test ends. */
export async function startBroker(t: Scope, options: BrokerOptions = {}): Promise<Broker> {
	const broker = await Broker.start({ port: 0, ...options });
	t.defer(() => broker.close());
	return broker;
}
