import type { Cancel, Environment } from '@dunlin/client';
import type { AlertOutputs } from '../api/alerts';
import type { PhaseEnd } from './phases';

export interface AlertSettings {
  readonly sound: boolean;
  readonly notification: boolean;
}

export interface AlertsOptions {
  readonly environment: Environment;
  readonly storage?: Storage | undefined;
  readonly user: string;
  readonly outputs: AlertOutputs;
}

const OFF: AlertSettings = { sound: false, notification: false };

/**
 * Sound and notification at the end of a phase. The user turns them on for this device, and the browser asks for permission at that
 * moment. All tabs learn of the end; only the tab that holds the lock alerts.
 */
export class Alerts {
  readonly #options: AlertsOptions;
  readonly #key: string;
  readonly #stop = new AbortController();
  #release: Cancel | undefined;
  #isLeader = false;
  #last: string | undefined;
  settings = $state.raw<AlertSettings>(OFF);
  /** Whether the browser has refused notifications. */
  isBlocked = $state(false);

  constructor(options: AlertsOptions) {
    this.#options = options;
    this.#key = `focus.alerts ${options.user}`;
    this.#read();
  }

  get canNotify(): boolean {
    return this.#options.outputs.canNotify;
  }

  start(): void {
    const { signal } = this.#stop;
    this.#lead();
    const { outputs } = this.#options;
    outputs.onStored(this.#key, () => this.#read(), signal);
    // Without a gesture in this page the browser would keep the sound silent.
    outputs.onGesture(() => this.settings.sound && outputs.allowSound(), signal);
  }

  setSound(isOn: boolean): void {
    this.#write({ ...this.settings, sound: isOn });
    if (isOn) this.#options.outputs.playSound();
  }

  async setNotification(isOn: boolean): Promise<void> {
    const isAllowed = isOn && (await this.#options.outputs.allowNotifications());
    if (this.#stop.signal.aborted) return;
    this.isBlocked = isOn && !isAllowed;
    this.#write({ ...this.settings, notification: isAllowed });
  }

  /** Reports the end of a phase. The same end is alerted once. */
  report(end: PhaseEnd): void {
    if (end.key === this.#last) return;
    this.#last = end.key;
    if (!this.#isLeader) return;
    const { outputs, environment } = this.#options;
    if (this.settings.sound) outputs.playSound();
    if (this.settings.notification && outputs.areNotificationsAllowed())
      outputs.notify(end.title, end.text, end.key).catch((error: unknown) => environment.reportError(error));
  }

  dispose(): void {
    this.#isLeader = false;
    this.#stop.abort();
    this.#release?.();
    this.#options.outputs.close();
  }

  /** Waits for the lock, which the browser passes on when a tab ends. Without Web Locks every tab alerts. */
  #lead(): void {
    const { environment } = this.#options;
    const { locks } = environment;
    if (!locks) {
      this.#isLeader = true;
      return;
    }
    const { signal } = this.#stop;
    const held = () =>
      new Promise<void>((resolve) => {
        this.#isLeader = !signal.aborted;
        this.#release = resolve;
        if (signal.aborted) resolve();
      });
    locks.request(this.#key, { signal }, held).catch((error: unknown) => {
      if (!signal.aborted) environment.reportError(error);
    });
  }

  #read(): void {
    try {
      const stored = JSON.parse(this.#options.storage?.getItem(this.#key) ?? '{}') as Partial<AlertSettings>;
      this.settings = { sound: stored.sound === true, notification: stored.notification === true };
    } catch {
      this.settings = OFF;
    }
  }

  #write(settings: AlertSettings): void {
    this.settings = settings;
    try {
      this.#options.storage?.setItem(this.#key, JSON.stringify(settings));
    } catch {
      // The storage is full: the setting lasts as long as the page.
    }
  }
}
