import './faulty-commits.ts';

await import('../../main.ts');
