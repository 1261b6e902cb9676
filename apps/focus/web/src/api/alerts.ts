/** Sound and notifications of the browser. */
export interface AlertOutputs {
  readonly canNotify: boolean;
  /** Asks the user for permission, unless the browser has an answer already. Call it on a user's gesture only. */
  allowNotifications(): Promise<boolean>;
  areNotificationsAllowed(): boolean;
  notify(title: string, text: string, tag: string): Promise<void>;
  /** Makes the sound audible later. Browsers allow it on a user's gesture only. */
  allowSound(): void;
  playSound(): void;
  onGesture(handler: () => void, until: AbortSignal): void;
  /** Calls back when another tab stores a value. */
  onStored(key: string, handler: () => void, until: AbortSignal): void;
  close(): void;
}

/** The two notes of the chime: frequency in Hz, start and length in seconds. */
const NOTES = [
  [659, 0, 0.5],
  [880, 0.22, 0.9],
] as const;

export function browserAlerts(): AlertOutputs {
  let audio: AudioContext | undefined;
  return {
    canNotify: 'Notification' in globalThis,
    async allowNotifications() {
      return (await Notification.requestPermission()) === 'granted';
    },
    areNotificationsAllowed: () => 'Notification' in globalThis && Notification.permission === 'granted',
    async notify(title, text, tag) {
      const options = { body: text, tag };
      try {
        const shown = new Notification(title, options);
        shown.onclick = () => {
          window.focus();
          shown.close();
        };
      } catch {
        // Browsers on Android show notifications by a service worker only.
        const worker = await navigator.serviceWorker?.getRegistration();
        await worker?.showNotification(title, options);
      }
    },
    allowSound() {
      audio ??= 'AudioContext' in globalThis ? new AudioContext() : undefined;
      if (audio?.state === 'suspended') audio.resume().catch(() => {});
    },
    playSound() {
      this.allowSound();
      if (audio) playChime(audio);
    },
    onGesture(handler, signal) {
      window.addEventListener('pointerdown', handler, { signal });
      window.addEventListener('keydown', handler, { signal });
    },
    onStored(key, handler, signal) {
      window.addEventListener('storage', (event) => event.key === key && handler(), { signal });
    },
    close() {
      audio?.close().catch(() => {});
      audio = undefined;
    },
  };
}

function playChime(audio: AudioContext): void {
  for (const [frequency, start, length] of NOTES) {
    const from = audio.currentTime + start;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, from);
    volume.gain.exponentialRampToValueAtTime(0.25, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + length);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + length);
  }
}
