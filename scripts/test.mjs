import { installDependencies, registerTypeScript, requireNode } from './setup.mjs';

const HELP = `npm test                      set up, start the servers that tests share, run every test
npm test -- PATH…             only these files, or all in these folders
npm test -- --grep PATTERN    only tests whose name matches`;

if (process.argv.includes('--help')) {
  console.log(HELP);
  process.exit(0);
}

requireNode();
const say = (sentence) => console.log(`… ${sentence}`);
await installDependencies({ withDev: true, say });
await registerTypeScript();
const { runTests } = await import('./run-tests.ts');
await runTests({ env: process.env, args: process.argv.slice(2), say });
