/** The stream ended without a network error: another tab carries it now. Reopen it immediately. */
export class StreamMoved extends Error {
  constructor() {
    super('Another tab holds the streams of this browser now.');
    this.name = 'StreamMoved';
  }
}
