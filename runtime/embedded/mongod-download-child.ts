import { MongoBinary } from 'mongodb-memory-server-core/lib/util/MongoBinary.js';

const [version, downloadDir] = process.argv.slice(2);
if (!version || !downloadDir) throw new Error('usage: mongod-download-child.ts <version> <folder>');
process.stdout.write(await MongoBinary.getPath({ version, downloadDir, checkMD5: true }));
