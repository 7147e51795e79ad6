import type { JsonFields } from '../core/json-text.ts';
import { isJsonFields } from '../core/json-text.ts';
import type { FillBody } from '../core/markers/codec.ts';
import type { Marker } from '../core/markers/marker.ts';
import type { ToldProblem } from '../core/markers/told-json.ts';
import { markerTold, readTold } from '../core/markers/told-json.ts';
import type { Body } from '../core/markers/upcast.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Screened } from '../core/secrets/screen-body.ts';
import { screenBody, secretHint } from '../core/secrets/screen-body.ts';
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
  const coversNames = (text: string): boolean => fromJob.has(text);
  const covering = { covers: (text: string) => isRedacting || coversNames(text), coversNames };
  return (json, marker) => {
    const said = isJsonFields(json) ? withoutAbsent(json) : json;
    const whole = job === null || !isJsonFields(said) ? said : toldInJob(said, job, digest);
    // A freeze is an operator's; whether the key has that role, the gateway knows.
    const read = readTold(whole, audience, ['emitter', 'operator']);
    if (!read.ok) return causeOf(read.problem);
    const { run, occurredAt } = read.value;
    const deployment = run === null ? marker : uuidOfParts(digest, [audience, source, run]);
    const added = { marker, audience, source, occurredAt: occurredAt ?? nowMs(), deployment };
    let screened: Screened | undefined;
    const screen = (body: Body): Body => {
      screened = screenBody(body, covering);
      return screened.body;
    };
    const made = markerTold(read.value, added, fill, screen);
    if (!made.ok) return causeOf(made.problem);
    const { found = [], left, isLeftInName = false } = screened ?? {};
    if (left !== undefined)
      return fail({
        code: 'secret-found',
        message: `${left.path} holds what looks like a secret (${left.kind}): ${left.masked}`,
        hint: `${secretHint(left)}say it without the secret${isLeftInName ? '' : ', or let `redact` write over it'}; nothing was sent`,
      });
    const masked = new Set(found.map(({ path, kind }) => `${path} (${kind})`));
    const note =
      masked.size === 0
        ? null
        : `what looks like a secret was written over in ${[...masked].join(', ')}`;
    return ok({ told: made.value, note });
  };
};

/** As JSON has it: what is undefined was not told. */
const withoutAbsent = (fields: JsonFields): JsonFields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const causeOf = ({ code, message, hint = '' }: ToldProblem): Result<never, Cause> =>
  fail({ code, message, hint });
