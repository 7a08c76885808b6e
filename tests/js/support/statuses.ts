// '#statuses' for tests of single source files: read from the core's header, as the build does it.
import { statuses } from '../../../scripts/lib/statuses.mjs';

export default statuses();
