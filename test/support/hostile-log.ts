import type { Random } from '../../services/dev/canary-climates/random.ts';
import { seededRandom } from '../../services/dev/canary-climates/random.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import type { Body } from '../../services/core/markers/upcast.ts';
import { waitedHeader, waitedMessage } from '../../services/core/markers/wire.ts';
import { keyOf, openedAtMs, signed, tools } from './given.ts';
import type { Said, Scope } from './markers.ts';
import {
  added,
  canceled,
  compromised,
  decided,
  failed,
  id,
  logged,
  opened,
  place,
  planned,
  retired,
  run,
  shifted,
  started,
  succeeded,
} from './markers.ts';

// A log as it looks where many pipelines write to it, some of them confused and some of them hostile.

export type HostileLogOptions = {
  readonly seed: number;
  readonly audience: string;
  /** How many records come after those that open the log and name its keys. */
  readonly records: number;
};

/** Who writes, and what they may do. The administrator opens the log; `stranger` is nobody's key. */
const scopes: { readonly [name: string]: Scope } = {
  wide: {},
  staging: { environments: ['staging*'] },
  checkout: { components: ['checkout'], kinds: ['planned', 'started', 'succeeded'] },
  analyser: { roles: ['analyser'] },
  courier: { roles: ['gateway'] },
  leaver: {},
  careless: {},
};
const writers = ['wide', 'wide', 'wide', 'staging', 'checkout', 'leaver', 'careless'] as const;
const environments = ['production', 'staging', 'staging-eu'] as const;
const components = ['checkout', 'cart', 'price list/µ', '__proto__'] as const;

/** The signed records of one log, record 0 first. The same seed and audience give the same bytes. */
export const hostileLog = async (options: HostileLogOptions): Promise<readonly NewRecord[]> => {
  const random = seededRandom(options.seed, 0);
  const pipelines = openPipelines(random, options.audience);
  const log: NewRecord[] = [await pipelines.say('admin', opened(keyOf('admin')))];
  for (const [name, scope] of Object.entries(scopes))
    log.push(await pipelines.say('admin', added(keyOf(name), scope)));
  const end = log.length + options.records;
  while (log.length < end) {
    const done = 1 - (end - log.length) / options.records;
    if (done > 0.5) log.push(...(await pipelines.once('leaver', retired(keyOf('leaver')))));
    if (done > 0.7)
      log.push(...(await pipelines.once('careless', compromised(keyOf('careless'), 40))));
    if (random() < 0.2) log.push(await pipelines.trouble(log));
    else log.push(await pipelines.nextStep());
  }
  return log.slice(0, end);
};

type Pipelines = {
  readonly say: (name: string, says: Said, marker?: string) => Promise<NewRecord>;
  /** The first time the administrator's record, later nothing. */
  readonly once: (what: string, says: Said) => Promise<readonly NewRecord[]>;
  /** One of the pipelines goes a step further. */
  readonly nextStep: () => Promise<NewRecord>;
  /** What nobody should send. */
  readonly trouble: (sent: readonly NewRecord[]) => Promise<NewRecord>;
};

const openPipelines = (random: Random, audience: string): Pipelines => {
  const running: { readonly by: string; readonly steps: Said[] }[] = [];
  const said = new Set<string>();
  let markers = 0;
  let deployments = 0;
  const oneOf = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new RangeError('nothing to choose from');
    return item;
  };

  const say: Pipelines['say'] = (name, says, marker = `${audience} ${(markers += 1)}`) =>
    signed(name, { ...says, audience }, marker, openedAtMs + markers * 1000);

  const newRun = (): { readonly by: string; readonly steps: Said[] } => {
    const deployment = run(`${audience} ${(deployments += 1)}`);
    const slot = place(oneOf(environments), oneOf(components), random() < 0.2 ? 'eu-1' : null);
    const version = `${1 + Math.floor(deployments / 7)}.${deployments % 7}.0`;
    const end = oneOf([succeeded, succeeded, succeeded, failed, canceled]);
    const attempt = random() < 0.3 ? { attempt: `token ${deployments}` } : {};
    const of = (says: Said, over: Body = {}): Said => ({
      ...says,
      deployment,
      ...attempt,
      ...over,
    });
    const plan = of(planned(version), { slot, canaryShare: random() < 0.5 ? 0.1 : null });
    const steps = [
      ...(random() < 0.1 ? [] : [plan]),
      of(started()),
      ...(random() < 0.4 ? [of(shifted({ canaryShare: 0.25 }))] : []),
      of(end({ reason: random() < 0.3 ? 'because of µ' : null })),
      // Too late, or after the end, or a second attempt.
      ...(random() < 0.2 ? [of(failed())] : []),
      ...(random() < 0.1 ? [plan] : []),
      ...(random() < 0.1 ? [{ ...plan, attempt: `again ${deployments}` } as Said] : []),
    ];
    if (random() < 0.1) steps.reverse();
    return { by: oneOf(writers), steps };
  };

  const delivered = async (record: NewRecord, forged: boolean): Promise<NewRecord> => {
    const { keyId, sign } = keyOf('courier');
    const waitedMs = Math.floor(random() * 600_000);
    const digest = tools.crypto.sha256Hex(record.value);
    const signature = await sign(
      waitedMessage(tools.text, audience, forged ? waitedMs + 1 : waitedMs, digest),
    );
    const waited = waitedHeader(tools.text, waitedMs, keyId, signature);
    return { ...record, headers: [...record.headers, waited] };
  };

  const tampered = (record: NewRecord): NewRecord => {
    const value = Uint8Array.from(record.value);
    const at = Math.floor(random() * value.length);
    value[at] = (value[at] ?? 0) ^ 1;
    return { ...record, value };
  };

  const garbage = (): NewRecord => ({
    key: Uint8Array.from({ length: Math.floor(random() * 20) }, () => random() * 256),
    headers: random() < 0.5 ? [] : [{ name: 'ce_type', value: tools.text.encodeUtf8('__proto__') }],
    value: Uint8Array.from({ length: Math.floor(random() * 200) }, () => random() * 256),
  });

  const troubles: readonly ((sent: readonly NewRecord[]) => Promise<NewRecord>)[] = [
    async (sent) => oneOf(sent),
    async (sent) => oneOf(sent.slice(-20)),
    async (sent) => tampered(oneOf(sent)),
    async (sent) => ({ ...oneOf(sent), key: new Uint8Array() }),
    async () => garbage(),
    async () => ({ ...garbage(), value: new Uint8Array(70_000) }),
    async () => say('stranger', logged('6.6.6')),
    async () => say('wide', { ...logged('3.0.0'), audience: 'elsewhere' }),
    async () => say('wide', logged(`${markers}.0.0`, { slot: place('production', 'cart') })),
    // Another content under a marker id that is taken.
    async () =>
      say('wide', logged(`${random()}`), `${audience} ${1 + Math.floor(random() * markers)}`),
    async () => say('wide', opened(keyOf('wide'))),
    async () => say('staging', added(keyOf('stranger'))),
    async () => say(oneOf(['analyser', 'wide']), decision()),
    async () => delivered(await nextStep(), false),
    async () => delivered(await nextStep(), true),
  ];

  const decision = (): Said =>
    decided(oneOf(['promote', 'hold', 'roll-back']), {
      deployment: run(`${audience} ${1 + Math.floor(random() * deployments)}`),
      analysis: id(`analysis ${Math.floor(random() * 9)}`, 8),
    });

  const nextStep = async (): Promise<NewRecord> => {
    while (running.length < 8) running.push(newRun());
    const pipeline = oneOf(running);
    const step = pipeline.steps.shift();
    if (pipeline.steps.length === 0) running.splice(running.indexOf(pipeline), 1);
    return step === undefined ? nextStep() : say(pipeline.by, step);
  };

  return {
    say,
    nextStep,
    once: async (what, says) => {
      if (said.has(what)) return [];
      said.add(what);
      return [await say('admin', says)];
    },
    trouble: (sent) => oneOf(troubles)(sent),
  };
};
