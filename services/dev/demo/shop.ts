import type { Build } from './checkout.ts';
import type { Crew } from './crew.ts';
import { DemoProblem, startDemoProgram } from './plimsoll.ts';
import type { Workplace } from './plimsoll.ts';

/** What is deployed, and where: the same names in the markers and in the telemetry. */
export const component = 'checkout';
export const environment = 'production';

export type ShopOptions = {
  readonly build: Build;
  readonly version: string;
  /** The canary's own deployment, or null. */
  readonly deployment: string | null;
  readonly otlpPort: number;
};

const listeningWithinMs = 15_000;

/** Starts one instance of the shop; gives its port on the loopback. */
export const startShop = (
  workplace: Workplace,
  crew: Crew,
  { build, version, deployment, otlpPort }: ShopOptions,
): Promise<number> =>
  new Promise((done, failed) => {
    const timer = setTimeout(
      () => failed(new DemoProblem(`the shop ${version} does not listen`)),
      listeningWithinMs,
    );
    const args = [
      ...['--build', build, '--version', version],
      ...['--component', component, '--environment', environment],
      ...['--instance', `${component}-${version}`, '--otlp', `http://127.0.0.1:${otlpPort}`],
      ...(deployment === null ? [] : ['--deployment', deployment]),
    ];
    const onLine = (line: string): void => {
      clearTimeout(timer);
      const { port } = JSON.parse(line) as { readonly port: number };
      done(port);
    };
    crew.add(shopName(version), startDemoProgram(workplace, 'shop-service.ts', args, onLine));
  });

export const shopName = (version: string): string => `${component} ${version}`;
