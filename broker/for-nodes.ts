// The parts of the broker that every node uses. They load neither HTTP nor the tracker, so that a
// short command starts sooner than with index.ts.
export { DataFolder } from './data-folder.ts';
export { ensureFolder } from './ensure-folder.ts';
export { byLabel, Meters, type Reading } from './metrics/meters.ts';
export { fingerprintOf, type KeyPair, makeCertificate } from './net/certificate.ts';
export { usableHosts } from './net/own-addresses.ts';
export { SecureStream } from './net/tls-stream.ts';
export { Listener, Peer } from './peer-listener.ts';
export { checkTicket } from './tracker/tickets.ts';
export { writePrivate } from './write-private.ts';
