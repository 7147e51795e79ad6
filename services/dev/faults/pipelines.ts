import { noDetails } from '../no-details.ts';
import { uuidOfParts } from '../../core/uuid-v8.ts';
import type { CheckTools } from '../../core/check/check-record.ts';
import type { NewRecord } from '../../core/log/record.ts';
import { kinds } from '../../core/markers/kinds.ts';
import type { Kind } from '../../core/markers/marker.ts';
import { parseMarker } from '../../core/markers/parse-marker.ts';
import type { Body } from '../../core/markers/upcast.ts';
import { signMarker } from '../../core/markers/wire.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Signer } from '../../ports/signer.ts';
import type { Random } from '../canary-climates/random.ts';

// What the pipelines of an organisation say: mostly deployments from plan to end, and some trouble among them.

export type Written = {
  /** Null for bytes that are no marker. */
  readonly marker: string | null;
  readonly record: NewRecord;
};

export type Pipelines = {
  /** The next thing that one of the pipelines says. */
  readonly next: () => Promise<Written>;
  /** A marker of its own, for a deployment that the caller steers. */
  readonly say: (kind: Kind, body: Body) => Promise<Written>;
};

export type PipelineOptions = {
  readonly audience: string;
  readonly tools: CheckTools;
  readonly signer: Signer;
  readonly ids: Pick<Ids, 'uuidV7'>;
  readonly nowMs: () => number;
  readonly random: Random;
};

const environments = ['production', 'staging', 'staging-eu'] as const;
const components = ['checkout', 'cart', 'price list/µ', '__proto__'] as const;
const atWorkMax = 6;
const troubleShare = 0.15;
const rememberedMax = 300;

type Step = { readonly kind: Kind; readonly body: Body };

export const openPipelines = (options: PipelineOptions): Pipelines => {
  const { audience, tools, signer, ids, nowMs, random } = options;
  const atWork: Step[][] = [];
  const said: Written[] = [];
  let deployments = 0;
  const oneOf = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new RangeError('nothing to choose from');
    return item;
  };
  const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));

  const write = async (kind: Kind, body: Body, markerId = ids.uuidV7()): Promise<Written> => {
    const whole: Body = {
      producer: null,
      sequence: null,
      attempt: null,
      ...body,
      marker: markerId,
      kind,
      audience,
      source: '/pipelines/faults',
      occurredAt: nowMs(),
      ...(kind === 'logged' ? { deployment: markerId } : {}),
    };
    const marker = parseMarker(kinds[kind].shape, whole);
    if (!marker.ok)
      throw new Error(`a pipeline says what is no marker: ${JSON.stringify(marker.problem)}`);
    const record = await signMarker(tools.codec, tools.text, marker.value, signer);
    return { marker: markerId, record };
  };

  const newSlot = (): Body => ({
    namespace: 'default',
    environment: oneOf(environments),
    component: oneOf(components),
    target: random() < 0.2 ? 'eu-1' : null,
  });
  const logged = (): Step => ({
    kind: 'logged',
    body: {
      slot: newSlot(),
      version: `${1 + Math.floor(random() * 9)}.0.0`,
      digest: null,
      rollback: false,
      reason: null,
      details: noDetails,
    },
  });

  const newDeployment = (): Step[] => {
    deployments += 1;
    const deployment = uuidOfParts(digest, ['faults', ids.uuidV7()]);
    const about = random() < 0.3 ? { deployment, attempt: `${deployments}` } : { deployment };
    const update = (kind: Kind, over: Body = {}): Step => ({
      kind,
      body: { ...about, ...updateBody, ...over },
    });
    const plan: Step = {
      kind: 'planned',
      body: {
        ...about,
        slot: newSlot(),
        name: 'default',
        version: `${1 + Math.floor(deployments / 7)}.${deployments % 7}.0`,
        digest: null,
        rollback: false,
        strategy: null,
        canaryShare: null,
        details: { ...noDetails, commit: 'a'.repeat(40) },
      },
    };
    const steps = [
      ...(random() < 0.08 ? [] : [plan]),
      update('started'),
      ...(random() < 0.3 ? [update('traffic-shifted', { canaryShare: 0.25 })] : []),
      update(oneOf(['succeeded', 'succeeded', 'succeeded', 'failed', 'canceled'] as const)),
      ...(random() < 0.15 ? [update('failed', { reason: 'too late' })] : []),
      ...(random() < 0.1 ? [{ ...plan, body: { ...plan.body, attempt: 'again' } }] : []),
    ];
    if (random() < 0.05) steps.reverse();
    return steps;
  };

  /** What nobody should send: each of them has its own answer in the fold. */
  const trouble = async (): Promise<Written> => {
    const earlier = oneOf(said);
    switch (Math.floor(random() * 5)) {
      case 0:
      case 1:
        return earlier;
      case 2: {
        const step = logged();
        // Another content under an id that is taken.
        return write(step.kind, step.body, earlier.marker ?? ids.uuidV7());
      }
      case 3: {
        const value = Uint8Array.from(earlier.record.value);
        const at = Math.floor(random() * value.length);
        value[at] = (value[at] ?? 0) ^ 1;
        return { marker: null, record: { ...earlier.record, value } };
      }
      default:
        return {
          marker: null,
          record: {
            key: Uint8Array.from({ length: 5 }, () => random() * 256),
            headers: [{ name: 'ce_type', value: tools.text.encodeUtf8('__proto__') }],
            value: Uint8Array.from({ length: 40 }, () => random() * 256),
          },
        };
    }
  };

  const next = async (): Promise<Written> => {
    if (said.length > 0 && random() < troubleShare) return trouble();
    while (atWork.length < atWorkMax) atWork.push(random() < 0.1 ? [logged()] : newDeployment());
    const pipeline = oneOf(atWork);
    const step = pipeline.shift();
    if (pipeline.length === 0) atWork.splice(atWork.indexOf(pipeline), 1);
    if (step === undefined) return next();
    const written = await write(step.kind, step.body);
    said.push(written);
    if (said.length > rememberedMax) said.shift();
    return written;
  };

  return { next, say: (kind, body) => write(kind, body) };
};

/** What an update says beside its kind and deployment. */
export const updateBody: Body = {
  slot: null,
  statusReported: null,
  reason: null,
  details: noDetails,
  canaryShare: null,
  colour: null,
  phase: null,
};
