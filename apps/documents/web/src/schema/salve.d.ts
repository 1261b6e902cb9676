// The bundle for browsers. The package's main module needs packages of Node.js.
declare module 'salve-annos/salve.min.js' {
  import type * as salve from 'salve-annos';
  const bundle: typeof salve;
  export default bundle;
}
