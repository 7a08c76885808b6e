// '#threads' for tests of single source files: what the build puts there loads the files of dist/.
import type { ThreadsModule } from '../../../js/src/runtime/threads';

export default async function loadThreads(inNode: boolean): Promise<ThreadsModule> {
  throw new Error(
    `the files for ${inNode ? 'Node' : 'browsers'} are not loaded by tests of single source files`,
  );
}
