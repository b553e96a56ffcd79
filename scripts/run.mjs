import { spawn } from 'node:child_process';
import { installDependencies, requireNode } from './setup.mjs';

// Runs one of our TypeScript commands, also on a clone where nothing is installed yet: run.mjs FILE [ARGUMENTS]

requireNode();
await installDependencies({ withDev: true, say: (sentence) => console.error(`… ${sentence}`) });
const child = spawn(process.execPath, ['--import', 'tsx', ...process.argv.slice(2)], { stdio: 'inherit' });
// A Ctrl-C reaches the command by itself; whoever ends us by a signal means the command.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.once('close', (code) => process.exit(code ?? 1));
