import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

/** A connection of the driver's pool, as far as it is needed here. */
interface PooledConnection extends EventEmitter {
  closed: boolean;
  error: Error | null;
}

type WriteCommand = (this: PooledConnection, ...args: unknown[]) => Promise<void>;

const MENDED = Symbol('mended');

/**
 * A command that does not fit into the socket's buffer waits for the socket to drain. When the connection is closed
 * meanwhile, because the server is killed or its monitor gives it up, the driver (7.5) leaves that wait without an end,
 * and with it whoever has sent the command: here all steps of a process, which are written one batch after the other.
 * The wait now ends with its connection, and the driver goes on as after any other network error. False when the driver
 * is not the one that is known.
 */
export const endWritesWithTheirConnection = (): boolean => {
  const requireOfMongoose = createRequire(createRequire(import.meta.url).resolve('mongoose'));
  const { Connection } = requireOfMongoose('mongodb/lib/cmap/connection.js') as {
    Connection?: { prototype: { writeCommand?: WriteCommand & { [MENDED]?: true } } };
  };
  const writeCommand = Connection?.prototype.writeCommand;
  if (!Connection || typeof writeCommand !== 'function') return false;
  if (writeCommand[MENDED]) return true;
  const mended: WriteCommand & { [MENDED]?: true } = async function (...args) {
    let onClose: () => void = () => undefined;
    const closed = new Promise<never>((_resolve, reject) => {
      onClose = () => reject(this.error ?? new Error('the connection was closed while a command was written'));
      this.once('close', onClose);
    });
    try {
      await Promise.race([writeCommand.apply(this, args), closed]);
    } finally {
      this.off('close', onClose);
    }
  };
  mended[MENDED] = true;
  Connection.prototype.writeCommand = mended;
  return true;
};
