import { spawn } from 'node:child_process';
import { CACHELESS, MAIN } from './shoal.ts';
import type { Scope } from './suite.ts';

/** The output of a shoal process, and its exit code. */
export interface Outcome {
	readonly code: number | null;
	readonly stdout: Buffer;
	readonly stderr: string;
	/** Standard output as text. */
	readonly text: string;
}

/** Runs `shoal` without `--json` and without a terminal, and waits for its end. */
export async function runShoal(
	t: Scope,
	args: readonly string[],
	options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<Outcome> {
	const env = { ...CACHELESS, SHOAL_BROKER: undefined, ...options.env };
	const child = spawn(process.execPath, [MAIN, ...args], { ...options, env });
	const out: Buffer[] = [];
	const err: Buffer[] = [];
	child.stdout.on('data', (data) => out.push(data));
	child.stderr.on('data', (data) => err.push(data));
	t.defer(() => child.kill('SIGKILL'));
	const code = await new Promise<number | null>((resolve, reject) => {
		child.once('error', reject);
		child.once('close', resolve);
	});
	const stdout = Buffer.concat(out);
	return { code, stdout, stderr: Buffer.concat(err).toString(), text: stdout.toString() };
}
