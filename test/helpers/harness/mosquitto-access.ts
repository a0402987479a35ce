import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rounds of PBKDF2 in a password file, as mosquitto_passwd writes them. */
const ROUNDS = 101;

/** Access rules of a Mosquitto. */
export interface MosquittoAccess {
	/** The text of an ACL file. */
	readonly acl: string;
	/** Passwords by user name; no other client can connect. */
	readonly users: Readonly<Record<string, string>>;
}

/** Writes the password file and the ACL file into `folder`. @returns the lines of the configuration */
export function guard(folder: string, { acl, users }: MosquittoAccess): string[] {
	const [aclFile, passwordFile] = [join(folder, 'acl'), join(folder, 'passwords')];
	const lines = Object.entries(users).map(([user, password]) => {
		const salt = randomBytes(12);
		const digest = pbkdf2Sync(password, salt, ROUNDS, 64, 'sha512').toString('base64');
		return `${user}:$7$${ROUNDS}$${salt.toString('base64')}$${digest}\n`;
	});
	writeFileSync(passwordFile, lines.join(''), { mode: 0o600 });
	writeFileSync(aclFile, acl, { mode: 0o600 });
	return ['allow_anonymous false', `password_file ${passwordFile}`, `acl_file ${aclFile}`];
}
