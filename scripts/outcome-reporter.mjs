/** Writes one word per test, so that they can be counted; suites are not tests. */
export default async function* outcomes(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    if (data.skip !== undefined || data.todo !== undefined) yield 'skipped\n';
    else yield type === 'test:pass' ? 'passed\n' : 'failed\n';
  }
}
