import { MongoBinary } from 'mongodb-memory-server-core/lib/util/MongoBinary.js';

const [version, downloadDir] = process.argv.slice(2);
if (!version || !downloadDir) throw new Error('usage: mongod-download-child.ts <version> <folder>');
try {
  process.stdout.write(await MongoBinary.getPath({ version, downloadDir, checkMD5: true }));
} catch (error) {
  process.stderr.write((error as Error).message.replace(/\s+/g, ' '));
  process.exitCode = 1;
}
