import { Readable } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';

export interface ZipEntry {
  name: string;
  content: AsyncIterable<string> | Iterable<string>;
}

interface Written {
  name: Buffer;
  crc: number;
  compressed: number;
  size: number;
  offset: number;
}

/** Deflated; sizes follow the data; names in UTF-8. */
const FLAGS = 0x0808;
const DEFLATE = 8;
const VERSION = 20;
/** 1980-01-01, the beginning of time here. */
const NO_DATE = 0x00210000;

/**
 * A ZIP file in chunks, made while its entries are read and never faster than it is taken. Each entry and the whole
 * stay below 4 GB.
 */
export async function* zipChunks(entries: AsyncIterable<ZipEntry>): AsyncGenerator<Buffer> {
  const written: Written[] = [];
  let offset = 0;
  for await (const { name, content } of entries) {
    const entry: Written = { name: Buffer.from(name), crc: 0, compressed: 0, size: 0, offset };
    const head = fields([4, 0x04034b50], [2, VERSION], ...common(entry, 0), [2, 0]);
    yield Buffer.concat([head, entry.name]);
    offset += head.length + entry.name.length;
    for await (const chunk of deflated(content, entry)) {
      entry.compressed += chunk.length;
      yield chunk;
    }
    const tail = fields([4, 0x08074b50], [4, entry.crc], [4, entry.compressed], [4, entry.size]);
    yield tail;
    offset += entry.compressed + tail.length;
    written.push(entry);
  }
  const directory = Buffer.concat(written.map(directoryEntry));
  yield directory;
  const count = written.length;
  yield fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, directory.length], [4, offset], [2, 0]);
}

async function* deflated(content: ZipEntry['content'], entry: Written): AsyncGenerator<Buffer> {
  const input = Readable.from(tallied(content, entry), { objectMode: false });
  const deflate = createDeflateRaw({ level: 3 });
  input.once('error', (error) => deflate.destroy(error));
  try {
    for await (const chunk of input.pipe(deflate)) yield chunk as Buffer;
  } finally {
    input.destroy();
    deflate.destroy();
  }
}

async function* tallied(content: ZipEntry['content'], entry: Written): AsyncGenerator<Buffer> {
  for await (const text of content) {
    const bytes = Buffer.from(text, 'utf8');
    entry.crc = crc32(bytes, entry.crc);
    entry.size += bytes.length;
    yield bytes;
  }
}

const directoryEntry = (entry: Written): Buffer =>
  Buffer.concat([
    fields(
      [4, 0x02014b50],
      [2, VERSION],
      [2, VERSION],
      ...common(entry, 1),
      // No extra field, no comment, first disk, no attributes.
      [2, 0],
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, entry.offset],
    ),
    entry.name,
  ]);

/** What head and directory have in common; the head does not know sums and sizes yet. */
const common = ({ name, crc, compressed, size }: Written, known: 0 | 1): [2 | 4, number][] => [
  [2, FLAGS],
  [2, DEFLATE],
  [4, NO_DATE],
  [4, crc * known],
  [4, compressed * known],
  [4, size * known],
  [2, name.length],
];

/** Little-endian fields one after the other, each by its length in bytes. */
const fields = (...values: [2 | 4, number][]): Buffer => {
  const buffer = Buffer.alloc(values.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of values) at = buffer.writeUIntLE(value, at, bytes);
  return buffer;
};
