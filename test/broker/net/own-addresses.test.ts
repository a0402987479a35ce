import type { NetworkInterfaceInfo } from 'node:os';
import * as assert from 'uvu/assert';
import { outboundHosts, usableHosts } from '../../../broker/index.ts';
import { suite } from '../../helpers/harness/suite.ts';

const test = suite('addresses of this machine');

function at(address: string, internal = false): NetworkInterfaceInfo {
	const common = { address, internal, netmask: '', mac: '', cidr: null };
	return address.includes(':')
		? { ...common, family: 'IPv6', scopeid: 0 }
		: { ...common, family: 'IPv4' };
}

const lo = [at('127.0.0.1', true), at('::1', true)];
const hosts = (
	interfaces: Record<string, NetworkInterfaceInfo[]>,
	first: string[] = [],
	withIpv6 = true,
): string[] => usableHosts({ interfaces: { lo, ...interfaces }, first, withIpv6 });

test('loopback and link-local IPv6 addresses are left out', () => {
	assert.equal(hosts({}), []);
	const one = ['fe80::1', 'FE90::1', 'febf::1'].map((address) => at(address));
	assert.equal(hosts({ eth0: one }), []);
	assert.equal(hosts({ eth0: [...one, at('fd00::2')] }), ['fd00::2']);
});

test('IPv4 comes before IPv6, link-local IPv4 comes last, and each address is listed once', () => {
	const eth0 = [at('fd00::2'), at('10.0.0.5'), at('169.254.7.7')];
	assert.equal(hosts({ eth0, eth1: [at('10.0.0.5'), at('10.1.0.5')] }), [
		...['10.0.0.5', '10.1.0.5', 'fd00::2', '169.254.7.7'],
	]);
	assert.equal(hosts({ eth0 }, [], false), ['10.0.0.5', '169.254.7.7']);
});

test('of several interfaces the one of the default route comes first', () => {
	const interfaces = {
		docker0: [at('172.17.0.1')],
		eth0: [at('10.0.0.5'), at('2001:db8:1::5')],
		br0: [at('fd00:b::1')],
	};
	assert.equal(hosts(interfaces, ['10.0.0.5', '2001:db8:1::5']), [
		...['10.0.0.5', '2001:db8:1::5', '172.17.0.1', 'fd00:b::1'],
	]);
});

test('the addresses of the default route are addresses of this machine', async () => {
	const all = usableHosts({ withIpv6: true });
	for (const host of await outboundHosts()) {
		assert.ok(all.includes(host), host);
	}
});

test.run();
