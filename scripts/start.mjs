import { installDependencies, registerTypeScript, requireNode } from './setup.mjs';

const HELP = `OrderHub

  npm start                  set up and run everything, with demo shops and traffic
  npm start -- --no-demo     no demo shops, users or traffic; simulators off; only the user admin
  npm start -- --help        this text

What it runs on this machine is kept in ORDERHUB_DATA: a second start goes on where the first stopped.
Ctrl-C or SIGTERM: takes no new work, finishes what it can in 15 s, stops all that it started.

  ORDERHUB_PORT              port of the API (8080; 0 chooses a free one)
  ORDERHUB_HOST              address that the API listens on (127.0.0.1)
  ORDERHUB_DATA              folder of data, keys and logs (.orderhub)
  ORDERHUB_LOG_LEVEL         error, warn, info, http or debug (error); info shows each step of an order
  ORDERHUB_ADMIN_PASSWORD    password of the user admin, at least 8 characters; unset: a random one, printed once
  TEMPORAL_ADDRESS           an existing Temporal server as host:port, in place of the embedded one
  TEMPORAL_NAMESPACE         its namespace (default)
  MONGODB_URI                an existing MongoDB replica set, in place of the embedded one
  AMQP_URL                   a RabbitMQ that is to get the events as well
  ORDERHUB_UI_PORT           port of the embedded Temporal UI; default: a free one, kept for the next start
  ORDERHUB_TEMPORAL_PORT     port of the embedded Temporal server; the same
  ORDERHUB_MONGO_PORT        port of the embedded MongoDB; the same

.env.example lists every variable. Two instances with other ports and data run side by side.
`;

const FLAGS = ['--no-demo', '--help', '-h'];
const flags = process.argv.slice(2);
const unknown = flags.filter((flag) => !FLAGS.includes(flag));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(' ')}\n\n${HELP}`);
  process.exit(2);
}
if (flags.includes('--help') || flags.includes('-h')) {
  console.log(HELP);
  process.exit(0);
}

requireNode();
const say = (sentence) => console.log(`… ${sentence}`);
await installDependencies({ withDev: false, say });
await registerTypeScript();
const { launch } = await import('./launch.ts');
await launch({ env: process.env, demo: !flags.includes('--no-demo'), say });
