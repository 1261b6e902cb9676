/** The stream ended although the network is there: another tab carries it from now on. Open it again at once. */
export class StreamMoved extends Error {
  constructor() {
    super('Another tab holds the streams of this browser now.');
    this.name = 'StreamMoved';
  }
}
