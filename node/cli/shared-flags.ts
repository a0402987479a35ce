// The flags that several commands have, and their help.

export const BROKER = '--broker <url>';
export const ABOUT_TRACKED_BROKER =
	'the broker, or the brokers of one cluster with commas between them; can be repeated (default: those in SHOAL_BROKER, those in SHOAL_JOIN, the joined ones, the one that you run on this machine, or any at port 1883 of this machine)';
export const ABOUT_BROKER =
	'the broker, or the brokers of one cluster with commas between them; can be repeated (default: those in SHOAL_BROKER, those in SHOAL_JOIN, the joined ones, the one that you run on this machine, any at port 1883 of this machine, or one on the LAN)';
export const CERT = '--cert <fingerprint>';
export const ABOUT_CERT =
	'the SHA-256 fingerprint of the certificate of an mqtts:// broker; with several brokers, one fingerprint for all of them, or one for each mqtts:// broker in their order (default: the fingerprint in the join link, or of a broker that you run on this machine; any other broker needs a certificate that this system trusts)';
export const LANE = '--lane <lane>';
export const ABOUT_LANE =
	'the lane on which chunks are requested: direct, broker, or auto (direct if it works, otherwise broker)';
export const LISTEN = '--listen <host:port>';
export const ABOUT_LISTEN =
	'where to listen for direct lanes of other nodes (default: any free port)';
export const ADVERTISE = '--advertise <host>';
export const ABOUT_ADVERTISE =
	'the address at which other nodes reach this node, if it is not an address of this machine: HOST or HOST:PORT; can be repeated';
export const ABOUT_NO_LISTEN = 'do not listen for direct lanes of other nodes';
export const RATE = 'bytes per second, such as 500kB, 20MB or 20MiB';
export const NO_CACHE = '--no-cache';
export const ABOUT_NO_CACHE =
	'hash the file or folder even if it has not changed since it was last hashed';
export const EXCLUDE = '--exclude <glob>';
export const ABOUT_EXCLUDE =
	'leave out the entries of a folder that match the glob; a glob with a slash is compared with paths, any other glob with names anywhere in the folder; can be repeated';
export const ABOUT_SKIP_ODD =
	'leave out the entries of a folder that cannot be shared, such as pipes, unreadable files and links to a place outside the folder';
export const LIMIT = '--limit <name=value>';
export const ABOUT_LIMIT = 'change a limit; can be repeated';
export const ID = '--id <id>';
export const NODE_NAME = '--node-name <name>';
export const ABOUT_GATEWAY_NAME =
	'the name of this node, as others see it (default: SHOAL_NODE_NAME; if that is not set, the name of this machine)';
export const ABOUT_NODE_NAME = ABOUT_GATEWAY_NAME.replace(
	'machine)',
	'machine, or none with --id)',
);
export const ABOUT_NO_NODE_NAME = 'publish no name: others see only the id of this node';
export const METRICS = '--metrics <host:port>';
export const ABOUT_METRICS =
	'serve /metrics, /healthz and /readyz by HTTP at this address; without a host, only this machine can reach them';
export const LOG_LEVEL = '--log-level <level>';
export const ABOUT_LOG_LEVEL =
	'the least severe level that is logged: error, warn, info or debug (default: SHOAL_LOG_LEVEL, or warn)';
export const ABOUT_TRACE = 'write a line of JSON to a file for each decision and transfer';
export const ABOUT_ID =
	'a node id that stays the same after a restart: 8 to 64 letters, digits, _ or -';
export const DATA = '--data <folder>';
export const ABOUT_CHANNEL_DATA =
	'the folder for keys and state (default: the folder of this user)';
