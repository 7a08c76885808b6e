import { output, StepError } from './run.mjs';

/** The command that runs clang-format on every C++ file of the project; new files count as soon as git could add them. */
export function clangFormat(...options) {
  const list = ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '--'];
  const files = output([
    ...list,
    ...['src', 'bindings', 'tests', 'bench'].flatMap((folder) => [`${folder}/**.h`, `${folder}/**.cpp`]),
  ]);
  if (!files) throw new StepError('No C++ file is known to git');
  return ['clang-format-19', ...options, ...files.trim().split('\n')];
}
