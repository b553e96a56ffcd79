import { createServer, connect } from 'node:net';

const LOOPBACK = '127.0.0.1';

const listenOnce = (port: number, host: string): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });

export const isPortFree = async (port: number, host: string = LOOPBACK): Promise<boolean> =>
  (await listenOnce(port, host)) !== undefined;

/** The preferred port when it is free, otherwise one that the system hands out. */
export const chooseFreePort = async (preferred?: number): Promise<number> => {
  if (preferred !== undefined && (await isPortFree(preferred))) return preferred;
  const port = await listenOnce(0, LOOPBACK);
  if (port === undefined) throw new Error('no free port on 127.0.0.1');
  return port;
};

export const acceptsConnections = (port: number, host: string = LOOPBACK): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host });
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });

const TAKEN = /address already in use|EADDRINUSE/i;
const MOST_TRIES = 4;

/** Between the choice of a free port and its use another program may take it: then `start` is asked again. */
export const withFreePorts = async <T>(start: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries += 1)
    try {
      return await start();
    } catch (error) {
      if (tries === MOST_TRIES || !TAKEN.test((error as Error).message)) throw error;
    }
};
