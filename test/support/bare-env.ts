export type Env = { readonly [name: string]: string };

/**
 * What a program needs to run at all, and where Node keeps what it compiled; no settings and no CI job of whoever
 * runs the tests.
 */
export const bareEnv = (): Env => ({
  ...Object.fromEntries(
    ['PATH', 'HOME', 'NODE_COMPILE_CACHE'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  ),
  // Where many tests share a machine a command takes its time, and is to do what it does in the end.
  PLIMSOLL_TIMEOUT: '60s',
});
