// Says how a test file ended that did not come to its end: Node's own reporter says 'test failed' and nothing else when a
// signal ends the process of a file, whose results are lost with it.

export default async function* endedReporter(events) {
  for await (const { type, data } of events) {
    const { exitCode, signal } = (type === 'test:fail' && data.details?.error) || {};
    if (signal) yield `${data.name} was ended by ${signal}, from outside or for want of memory\n`;
    else if (exitCode > 1) yield `${data.name} ended with exit code ${exitCode}\n`;
  }
}
