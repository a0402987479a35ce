import type { Client } from 'aedes';

/**
 * Has Aedes 1.2.0 hand every message to `client`. It takes one with a smaller number than the last for a
 * second delivery, and drops it; but those of QoS 1 come late, overtaken by others of QoS 0, and would be
 * lost. Whoever has subscribed to the same twice gets it twice.
 */
export function deliverAll(client: Client, brokerId: string): void {
	const { duplicates } = client as unknown as { readonly duplicates: object };
	Object.defineProperty(duplicates, brokerId, { get: () => 0, set: () => {} });
}
