import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { headlineOf } from '../../core/canary/decision/sentence.ts';
import { seededRandom } from '../canary-climates/random.ts';
import { freePort } from '../stack/free-port.ts';
import { removeFolder, removeFolderOnExit } from '../stack/own-process.ts';
import { startStack } from '../stack/stack.ts';
import type { Stack } from '../stack/stack.ts';
import type { DemoOptions } from './arguments.ts';
import { createCrew } from './crew.ts';
import type { Crew } from './crew.ts';
import { nextCart } from './customers.ts';
import { startHook } from './hook.ts';
import type { Action } from './hook.ts';
import { openLoopbackClient, startLoad } from './load.ts';
import type { Load, LoopbackClient } from './load.ts';
import { createPipeline } from './pipeline.ts';
import { DemoProblem, runPlimsoll, startPlimsoll } from './plimsoll.ts';
import type { Workplace } from './plimsoll.ts';
import { demoPolicy } from './policy.ts';
import { component, environment, shopName, startShop } from './shop.ts';
import { answersPhrase, seconds } from './story.ts';
import type { Story } from './story.ts';
import { createTraffic } from './traffic.ts';
import type { Side, Traffic } from './traffic.ts';
import { furnish } from './workplace.ts';
import type { GatewayPorts } from './workplace.ts';

/** How the demo ended; the last line of `--json`. */
export type DemoOutcome = {
  readonly decision: 'roll-back' | 'promote';
  readonly deployment: string;
  readonly verdict: string;
  /** Records on the log. */
  readonly markers: number;
  /** From the first customer that the canary failed to the decision in the hook's hands; null on a promotion. */
  readonly detectedAfterMs: number | null;
  readonly elapsedMs: number;
  readonly foundation: 'embedded' | 'stack';
};

export type DemoPorts = {
  readonly story: Story;
  readonly elapsedMs: () => number;
  /** Aborted: stop waiting, end commands. Processes that stay are ended by whoever aborts. */
  readonly stop: AbortSignal;
};

const versions: { readonly [Name in Side]: string } = { baseline: '1.0.0', canary: '2.0.0' };
const deployName = 'checkout-v2';
const theBug =
  'nobody knows it yet, but 2.0.0 has a bug (services/dev/demo/checkout.ts): with a coupon, most carts come to a ' +
  'fraction of a cent, of which BigInt throws an error. That is 8 % of the customers';
const canaryShare = 0.5;

const limits = {
  requestsPerSecond: 500,
  requestsMax: 75_000,
  durationMsMax: 150_000,
  inFlightMax: 64,
};
const readyWithinMs = 60_000;
const askAgainMs = 100;
const decisionWithinMs = 90_000;
const countsEveryMs = 5_000;
/** How long customers are still watched after the hook has acted. */
const afterwardsMs = 1_000;
const lastWordsWithinMs = 100;

/** Plays the demo from the first process to the last line. Throws `DemoProblem`; ends all that it started. */
export const runDemo = async (options: DemoOptions, ports: DemoPorts): Promise<DemoOutcome> => {
  const { story } = ports;
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-demo-'));
  if (!options.keep) removeFolderOnExit(folder);
  const over = new AbortController();
  const stage: Stage = {
    ...{ options, ...ports, folder, stack: undefined, load: undefined },
    stop: AbortSignal.any([ports.stop, over.signal]),
    crew: createCrew(),
    client: openLoopbackClient(limits.inFlightMax),
  };
  const playing = play(stage);
  // When a process is lost, the play stops wherever it waits; what it throws then is only the echo.
  playing.catch(() => undefined);
  try {
    return await Promise.race([playing, stage.crew.lost]);
  } catch (error) {
    if (error instanceof DemoProblem) {
      // What a process wrote last may arrive after the news of its end.
      await sleep(lastWordsWithinMs);
      story.lines(`\n${stage.crew.lastWords()}`);
    }
    throw error;
  } finally {
    over.abort();
    await stage.load?.stop();
    stage.client.close();
    await stage.crew.dismissAll();
    await stage.stack?.stop();
    if (options.keep) story.tell(`kept: ${folder}`);
    else removeFolder(folder);
  }
};

/** What is there to be used, and has to go in the end. */
type Stage = DemoPorts & {
  readonly options: DemoOptions;
  readonly folder: string;
  readonly crew: Crew;
  readonly client: LoopbackClient;
  stack: Stack | undefined;
  load: Load | undefined;
};

const play = async (stage: Stage): Promise<DemoOutcome> => {
  const { options, story, crew, elapsedMs } = stage;
  tellPolicy(story, options);
  if (options.foundation === 'stack') stage.stack = await startStack({ say: story.tell });
  const gateway = { port: await freePort(), otlpPort: await freePort() };
  const workplace = furnish(stage.folder, gateway, stage.stack, stage.stop);

  story.title('1.0.0 runs');
  const [, baselinePort] = await Promise.all([
    startUp(stage, workplace, gateway),
    startShop(workplace, crew, {
      build: '1.0.0',
      version: versions.baseline,
      deployment: null,
      otlpPort: gateway.otlpPort,
    }),
  ]);
  const pipeline = createPipeline(workplace, story);
  const place = [`--component-name=${component}`, `--environment-name=${environment}`];
  await pipeline.emit(['release', 'log', ...place, `--target-version=${versions.baseline}`]);
  const traffic = createTraffic(seededRandom(options.seed, 1));
  const shopPorts = { baseline: baselinePort, canary: baselinePort };
  stage.load = sendCustomers(stage, traffic, shopPorts);
  story.tell(
    `${limits.requestsPerSecond} customers a second come to ${shopName(versions.baseline)}; ` +
      'for one in 2,000 the bank does not answer, whatever the release',
  );

  story.title('2.0.0 comes as a canary');
  if (!options.healthy) story.tell(theBug);
  const { deployment } = await pipeline.emit([
    ...['release', 'plan', deployName, ...place, `--target-version=${versions.canary}`],
    ...['--strategy=canary', `--canary-share=${canaryShare}`],
  ]);
  const acting = startHook(workplace, crew, {
    deployment,
    traffic,
    hear: ({ decision, explanation }) =>
      story.tell(`the analyser says ${decision}: ${headlineOf(explanation)}`),
  });
  shopPorts.canary = await startShop(workplace, crew, {
    build: options.healthy ? '2.0.0-fixed' : '2.0.0',
    version: versions.canary,
    deployment,
    otlpPort: gateway.otlpPort,
  });
  await pipeline.emit(['release', 'update', deployName, '--status=RUNNING']);
  traffic.shiftTo(canaryShare);
  story.tell(
    `${canaryShare * 100} % of the customers now meet ${shopName(versions.canary)}; the analyser compares`,
  );

  const { action, decision, atMs } = await watch(stage, traffic, acting);
  const failedBefore = traffic.counts('canary').failed;
  const isPromotion = action === 'promote';
  const mood = isPromotion ? 'good' : 'bad';
  story.title(`Decision: ${action}`);
  story.tellLoud(`${action}, verdict ${decision.verdict}: ${shortly(decision.explanation)}`, mood);
  story.tell(
    `it is record ${decision.position} of the log, signed by the analyser; the hook has sent all customers to ` +
      shopName(isPromotion ? versions.canary : versions.baseline),
  );
  await pipeline.emit([
    ...['release', 'update', deployName, ...statusFor(action, decision.position)],
  ]);
  await sleep(afterwardsMs, undefined, { signal: stage.stop });
  await stage.load.stop();

  story.title('What the log says now');
  for (const words of [['current'], ['timeline'], ['show', deployment]]) {
    story.command(words);
    story.lines(await runPlimsoll(workplace, words));
  }
  const badAtMs = isPromotion ? null : traffic.firstBadAtMs();
  const outcome: DemoOutcome = {
    decision: action,
    deployment,
    verdict: decision.verdict,
    markers: Math.max(pipeline.lastPosition(), decision.position) + 1,
    detectedAfterMs: badAtMs === null ? null : Math.round(atMs - badAtMs),
    elapsedMs: Math.round(elapsedMs()),
    foundation: options.foundation,
  };
  summarize(story, outcome, traffic, traffic.counts('canary').failed - failedBefore);
  return outcome;
};

const tellPolicy = (story: Story, { healthy, foundation }: DemoOptions): void => {
  story.title(
    `Plimsoll demo: ${healthy ? 'a good canary' : 'a canary with a bug'}, ` +
      (foundation === 'embedded' ? 'log and read models in one SQLite file' : 'on Kafka and Redis'),
  );
  story.tell(
    'the policy is the standard one, with the shorter times of a demo: ' +
      `${JSON.stringify(demoPolicy)}. Tolerances, error budgets and the judge are the product's own.`,
  );
};

const startUp = async (
  stage: Stage,
  workplace: Workplace,
  gateway: GatewayPorts,
): Promise<void> => {
  const { story, crew } = stage;
  story.command(['up']);
  crew.add('plimsoll up', startPlimsoll(workplace, ['up'], story.lines));
  const giveUpAtMs = performance.now() + readyWithinMs;
  while (!(await isReady(gateway.port))) {
    if (performance.now() > giveUpAtMs) throw new DemoProblem('plimsoll up does not get ready');
    await sleep(askAgainMs, undefined, { signal: stage.stop });
  }
  story.tell(`ready: API on port ${gateway.port}, OTLP/HTTP on port ${gateway.otlpPort}`);
};

const isReady = async (port: number): Promise<boolean> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
};

const sendCustomers = (
  { client, options }: Stage,
  traffic: Traffic,
  shopPorts: { readonly [Name in Side]: number },
): Load => {
  const random = seededRandom(options.seed, 2);
  return startLoad(limits, async () => {
    const side = traffic.nextSide();
    const cart = JSON.stringify(nextCart(random));
    const status = await client.post(shopPorts[side], '/checkout', cart);
    traffic.answered(side, status, performance.now());
  });
};

/** Tells every few seconds what customers meet, until the hook has acted. */
const watch = async (
  { story, stop }: Stage,
  traffic: Traffic,
  acting: Promise<Action>,
): Promise<Action> => {
  const giveUpAtMs = performance.now() + decisionWithinMs;
  const acted = acting.then(() => undefined);
  for (;;) {
    const pause = sleep(countsEveryMs, 'pause', { signal: stop });
    if ((await Promise.race([acted, pause])) === undefined) return acting;
    if (performance.now() > giveUpAtMs)
      throw new DemoProblem(`no decision within ${seconds(decisionWithinMs)}`);
    for (const side of ['baseline', 'canary'] as const)
      story.tell(`${versions[side]}: ${answersPhrase(traffic.counts(side))}`);
  }
};

/** What was found and, of a roll-back, in figures; show, below, has all the metrics. */
const shortly = (explanation: string): string => {
  const [, figures = ''] = explanation.split('. ');
  const found = headlineOf(explanation);
  return figures.startsWith('errors: ') ? `${found}. ${figures}` : found;
};

const statusFor = (action: Action['action'], position: number): readonly string[] =>
  action === 'promote'
    ? ['--status=SUCCESS']
    : ['--status=FAILED', `--failure-reason=rolled back by the decision at position ${position}`];

const summarize = (
  story: Story,
  outcome: DemoOutcome,
  traffic: Traffic,
  failedAfterwards: number,
): void => {
  const { decision, verdict, detectedAfterMs, markers, elapsedMs } = outcome;
  story.title('Summary');
  story.lines(
    [
      `decision   ${decision}, verdict ${verdict}, deployment ${outcome.deployment}`,
      ...(detectedAfterMs === null
        ? []
        : [
            `detected   ${seconds(detectedAfterMs)} after ${versions.canary} first failed a customer; ` +
              `it failed ${failedAfterwards} after the decision`,
          ]),
      ...(['baseline', 'canary'] as const).map(
        (side) => `${versions[side].padEnd(9)}  ${answersPhrase(traffic.counts(side))}`,
      ),
      `log        ${markers} records, each of them signed`,
      `time       ${seconds(elapsedMs)} in all, on the ${outcome.foundation} foundation`,
    ].join('\n'),
  );
};
