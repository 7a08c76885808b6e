// '#pool' for tests of single source files: what the build puts there loads the files of dist/.
import type { PoolModule } from '../../../js/src/runtime/pool';

export default async function loadPool(inNode: boolean): Promise<PoolModule> {
  throw new Error(
    `the files for ${inNode ? 'Node' : 'browsers'} are not loaded by tests of single source files`,
  );
}
