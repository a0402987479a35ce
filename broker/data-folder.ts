import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { ShoalError } from '../protocol/index.ts';
import { makeTokens, type Tokens } from './access/token-auth.ts';
import { ensureFolder } from './ensure-folder.ts';
import { fingerprintOf, type KeyPair, makeCertificate } from './net/certificate.ts';
import { TicketIssuer } from './tracker/tickets.ts';
import { writePrivate } from './write-private.ts';

const VERSION = 1;

/**
 * The contents of the JSON file, which only its owner can read. `ticketKey` (PEM) signs tickets.
 * `urls`, `page` and `shown` (the fingerprint of the certificate in use) describe the last start.
 */
const kept = v.object({
	version: v.literal(VERSION),
	tokens: v.optional(v.object({ node: v.string(), watch: v.string() })),
	ticketKey: v.optional(v.string()),
	certificate: v.optional(v.object({ cert: v.string(), key: v.string() })),
	urls: v.optional(v.array(v.string())),
	page: v.optional(v.string()),
	shown: v.optional(v.string()),
});
type Kept = v.InferOutput<typeof kept>;

/** How other machines reach a broker. */
export interface ReachedAt {
	/** URLs of the broker, the best first; empty if none is known. */
	readonly addresses: readonly string[];
	/** URL of the broker's page. */
	readonly page?: string | undefined;
	/** SHA-256 fingerprint of the certificate that the broker presents at these URLs. */
	readonly cert?: string | undefined;
}

/**
 * The folder in which a broker keeps tokens, keys and its audit log. All other state is restored
 * when the nodes announce again.
 */
export class DataFolder {
	/** Path of the folder. */
	readonly path: string;
	readonly #file: string;

	/** Makes the folder at `path` if there is none. @throws NodeJS.ErrnoException */
	constructor(path: string) {
		ensureFolder(path, 0o700);
		this.path = path;
		this.#file = join(path, 'broker.json');
	}

	/** Path of the audit log; see {@link AuditLog}. */
	get auditLog(): string {
		return join(this.path, 'audit.jsonl');
	}

	/** The access tokens; undefined if none were made yet. @throws ShoalError ERR_IO, NodeJS.ErrnoException */
	get tokens(): Tokens | undefined {
		return this.#read().tokens;
	}

	/** Makes new tokens in place of the old ones. @throws ShoalError ERR_IO, NodeJS.ErrnoException */
	renewTokens(): Tokens {
		const tokens = makeTokens();
		this.#change({ tokens });
		return tokens;
	}

	/** The issuer of tickets, always with the same key. @throws ShoalError ERR_IO, NodeJS.ErrnoException */
	get office(): TicketIssuer {
		const { ticketKey } = this.#read();
		const issuer = new TicketIssuer(ticketKey);
		this.#change({ ticketKey: issuer.privateKey });
		return issuer;
	}

	/** The self-signed certificate of the broker, always the same. @throws ShoalError ERR_IO, NodeJS.ErrnoException */
	get certificate(): KeyPair {
		const certificate = this.#read().certificate ?? makeCertificate();
		this.#change({ certificate });
		return certificate;
	}

	/** How other machines reach the broker, as stored at its last start. */
	get reached(): ReachedAt {
		const { urls = [], page, shown, certificate } = this.#read();
		// Versions before 0.2 did not store the fingerprint. If the file has a certificate, they used
		// that certificate.
		const isSecure = urls[0]?.startsWith('mqtts:') === true;
		const own = isSecure && certificate ? fingerprintOf(certificate.cert) : undefined;
		return { addresses: urls, page, cert: shown ?? own };
	}

	set reached({ addresses, page, cert }: ReachedAt) {
		this.#change({ urls: [...addresses], page, shown: cert });
	}

	/** A text that changes when the folder's contents change. */
	get stamp(): string {
		try {
			const { mtimeMs, ino } = statSync(this.#file);
			return `${mtimeMs} ${ino}`;
		} catch {
			return '';
		}
	}

	#read(): Kept {
		let text: string;
		try {
			text = readFileSync(this.#file, 'utf8');
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
				return { version: VERSION };
			}
			throw error;
		}
		const read = v.safeParse(kept, parse(text));
		if (!read.success) {
			throw new ShoalError(
				'ERR_IO',
				`${this.#file} is damaged, or of another version of shoal; move it away to start anew, with new tokens`,
			);
		}
		return read.output;
	}

	#change(change: Partial<Kept>): void {
		const before = this.#read();
		const after = { ...before, ...change };
		if (JSON.stringify(after) !== JSON.stringify(before)) {
			writePrivate(this.#file, `${JSON.stringify(after, null, '\t')}\n`);
		}
	}
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
