import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDataDir } from '../runtime/config.ts';

/** `MONGODB_URI`, or the database of the instance that `npm start` runs, as it notes it in its data folder. Throws without either. */
export const databaseAddress = (): string => {
  const given = process.env['MONGODB_URI']?.trim();
  if (given) return given;
  const notes = join(loadDataDir(), 'instance.json');
  const { ports } = (existsSync(notes) ? JSON.parse(readFileSync(notes, 'utf8')) : {}) as {
    ports?: { mongo?: number };
  };
  if (ports?.mongo === undefined)
    throw new Error('no database: set MONGODB_URI, or start the instance on ORDERHUB_DATA');
  return `mongodb://127.0.0.1:${ports.mongo}/orderhub?directConnection=true`;
};
