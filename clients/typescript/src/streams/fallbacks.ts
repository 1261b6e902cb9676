// Loaded only where server-sent events do not pass, so that other pages do not pay for it.
export { pollStream } from './pollStream.js';
export { socketStream } from './socketStream.js';
