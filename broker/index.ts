export { AuditLog, type Refusal } from './access/audit-log.ts';
export type { SessionRefusal as EntryRefusal } from './access/client-sessions.ts';
export { type MosquittoAclOptions, mosquittoAcl } from './access/mosquitto-acl.ts';
export type { BrokerRefusal } from './access/refusal-counts.ts';
export { type Member, makeTokens, type Role, type Tokens } from './access/token-auth.ts';
export type { PublishRefusal } from './access/topic-rules.ts';
export { Broker } from './broker.ts';
export type { BrokerEvents, BrokerOptions } from './broker-options.ts';
export { DataFolder, type ReachedAt } from './data-folder.ts';
export {
	type HttpExchange as Visit,
	HttpServer,
	type HttpServerOptions,
	needsToken,
	type Route,
} from './http/http-server.ts';
export { brokerMonitoring, type Monitored, monitoring } from './http/monitoring.ts';
export { chooseType, matches, matchesWeakly } from './http/negotiation.ts';
export { tellJson, tellProblem } from './http/problem.ts';
export { startWebFront, type WebFrontOptions } from './http/web-front.ts';
export { type MemoryRow, mostMemory, mostMemoryInAll } from './memory-bound.ts';
export { brokerMetrics } from './metrics/broker-metrics.ts';
export type { BrokerStats } from './metrics/broker-stats.ts';
export { byLabel, Meters, type Read, type Reading } from './metrics/meters.ts';
export { fingerprintOf, type KeyPair, makeCertificate } from './net/certificate.ts';
export { outboundHosts, type UsableHostsOptions, usableHosts } from './net/own-addresses.ts';
export { SecureStream } from './net/tls-stream.ts';
export type { BothWays, Flow, Traffic } from './net/traffic.ts';
export { Listener, type ListenerEvents, type ListenerOptions, Peer } from './peer-listener.ts';
export type { Decision, RefusedAnnounce } from './tracker/decisions.ts';
export { Registry, type RegistryOptions } from './tracker/registry.ts';
export {
	checkTicket,
	type TicketClaims as Trip,
	TicketIssuer as TicketOffice,
} from './tracker/tickets.ts';
export { Tracker, type TrackerStats } from './tracker/tracker.ts';
export type { TrackerEvents, TrackerOptions } from './tracker/tracker-options.ts';
export { writePrivate } from './write-private.ts';
