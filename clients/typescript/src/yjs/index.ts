export { DocumentProvider, type DocumentOptions } from './provider.js';
export type { DocumentState } from './state.js';
