// It comes without declarations.
declare module 'jsfive' {
  import type { JsFive } from 'layernorm/keras';

  export const File: JsFive['File'];
  export const Group: JsFive['Group'];
  export const Filters: JsFive['Filters'];
}
