import type { JsonFields } from '../core/json-text.ts';
import { isJsonFields } from '../core/json-text.ts';
import type { FillBody } from '../core/markers/codec.ts';
import type { Marker } from '../core/markers/marker.ts';
import type { ToldProblem } from '../core/markers/told-json.ts';
import { markerTold, readTold } from '../core/markers/told-json.ts';
import type { Body } from '../core/markers/upcast.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { FieldSecret } from '../core/secrets/screen-body.ts';
import { maskBody, secretHint, secretInName, secretsInBody } from '../core/secrets/screen-body.ts';
import type { TextDigest } from '../core/uuid-v8.ts';
import { uuidOfParts } from '../core/uuid-v8.ts';
import { textsIn } from './ci/job-texts.ts';
import { toldInJob } from './ci/told-in-job.ts';
import type { EmitterSettings } from './emitter-options.ts';
import type { Cause } from './send-or-keep.ts';

export type MakePorts = {
  readonly settings: Pick<EmitterSettings, 'audience' | 'source' | 'job'>;
  /** Secrets are written over; else they are refused. */
  readonly isRedacting: boolean;
  readonly fill: FillBody;
  readonly nowMs: () => number;
  readonly digest: TextDigest;
};

export type Made = {
  readonly told: Marker;
  /** What was written over, in words, or null. */
  readonly note: string | null;
};

/** What a program tells as a marker with the id that is given, through the same door as any other; nothing is sent. */
export const openMaker = ({
  settings: { audience, source, job },
  isRedacting,
  fill,
  nowMs,
  digest,
}: MakePorts): ((json: unknown, marker: string) => Result<Made, Cause>) => {
  const fromJob = textsIn(job);
  const isFromJob = (text: string): boolean => fromJob.has(text);
  const covers = (text: string): boolean => isRedacting || isFromJob(text);
  return (json, marker) => {
    const said = isJsonFields(json) ? withoutAbsent(json) : json;
    const whole = job === null || !isJsonFields(said) ? said : toldInJob(said, job, digest);
    // A freeze is an operator's; whether the key has that role, the gateway knows.
    const read = readTold(whole, audience, ['emitter', 'operator']);
    if (!read.ok) return causeOf(read.problem);
    const { run, occurredAt } = read.value;
    const deployment = run === null ? marker : uuidOfParts(digest, [audience, source, run]);
    const added = { marker, audience, source, occurredAt: occurredAt ?? nowMs(), deployment };
    const masked: string[] = [];
    // Addresses of people are cut short here, too.
    let inName: FieldSecret | undefined;
    const screen = (body: Body): Body => {
      const found = secretsInBody(body);
      masked.push(...new Set(found.map(({ path, kind }) => `${path} (${kind})`)));
      inName = secretInName(found, body, isFromJob);
      return maskBody(body, inName === undefined ? covers : isFromJob);
    };
    const made = markerTold(read.value, added, fill, screen);
    if (!made.ok) return causeOf(made.problem);
    const secret = inName ?? secretsInBody(made.value)[0];
    if (secret !== undefined) {
      const orRedact = inName === undefined ? ', or let `redact` write over it' : '';
      return fail({
        code: 'secret-found',
        message: `${secret.path} holds what looks like a secret (${secret.kind}): ${secret.masked}`,
        hint: `${secretHint(secret)}say it without the secret${orRedact}; nothing was sent`,
      });
    }
    const note =
      masked.length === 0
        ? null
        : `what looks like a secret was written over in ${masked.join(', ')}`;
    return ok({ told: made.value, note });
  };
};

/** As JSON has it: what is undefined was not told. */
const withoutAbsent = (fields: JsonFields): JsonFields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const causeOf = ({ code, message, hint = '' }: ToldProblem): Result<never, Cause> =>
  fail({ code, message, hint });
