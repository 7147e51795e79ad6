import { existsSync, writeFileSync } from 'node:fs';
import { arch } from 'node:process';

/** A clock that a process believes and that can jump while it runs: Debian's libfaketime. */
export type FakeClock = {
  /** What a process that believes it is started with. */
  readonly env: () => NodeJS.ProcessEnv;
  /** Seconds from the true time, for instance -86,400. */
  readonly jump: (offsetSeconds: number) => void;
};

const triplets: { readonly [name: string]: string } = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
};

/** Undefined where the library is not installed. */
export const openFakeClock = (file: string): FakeClock | undefined => {
  const library = `/usr/lib/${triplets[arch] ?? arch}/faketime/libfaketime.so.1`;
  if (!existsSync(library)) return undefined;
  const jump = (offsetSeconds: number): void =>
    writeFileSync(file, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`);
  jump(0);
  return {
    env: () => ({
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      // Timers go by the monotonic clock, and that does not jump on any machine.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_RESET: '1',
    }),
    jump,
  };
};
