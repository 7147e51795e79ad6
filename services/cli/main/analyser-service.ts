import { openAnalyserMeasurements } from '../../analyser/measurements.ts';
import { togetherHint, togetherText } from '../../core/canary/analysis/targets-together.ts';
import {
  noBoundRemedy,
  noBoundWords,
  unsaidRemedy,
  unsaidWords,
} from '../../core/canary/judge/sentence.ts';
import type { PolicyDocument } from '../../core/canary/policy/placed-policy.ts';
import { readPolicyFile } from '../../core/canary/policy/policy-file.ts';
import { documentFileBytesMax } from '../../core/canary/policy/policy-text.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { pointRefusals, refusalRemedies } from '../../core/telemetry/point.ts';
import type { Running } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { ServiceComposition } from './composition.ts';
import { failed, openProjection } from './composition.ts';
import { sampleArchiveOf } from './explaining.ts';
import { readTextFile } from './text-file.ts';

export const startAnalyser = async (
  composition: ServiceComposition,
): Promise<Result<Running, CliProblem>> => {
  const { foundation, keys, alongside, note, metrics: ownMetrics } = composition;
  const projection = await openProjection(composition);
  if (!projection.ok) return projection;
  const { settings, clock } = foundation;
  const policy = await readPolicies(settings.policyFile);
  if (!policy.ok) return policy;
  const signer = await keys.read(settings.analyserKeyFile ?? keys.pathOf('analyser'));
  if (!signer.ok) return failed(signer.problem);
  const metrics = await foundation.stream('otlp_metrics');
  if (!metrics.ok) return failed(metrics.problem);
  const samples = await foundation.stream('samples');
  if (!samples.ok) return failed(samples.problem);
  const [service, { noisePace }, otlp] = await Promise.all([
    import('../../analyser/start.ts'),
    import('../../analyser/paces.ts'),
    import('../../adapters/otlp/metrics-request.ts'),
  ]);
  const measurements = openAnalyserMeasurements();
  const analyser = service.startAnalyser({
    ...projection.value,
    clock,
    metrics: metrics.value,
    samples: samples.value,
    signer: signer.value,
    readTelemetry: otlp.openTelemetryReader(),
    otlpContentTypeOf: otlp.otlpContentTypeOf,
    policyFile: policy.value,
    sampleArchive: sampleArchiveOf(foundation, samples.value),
    noisePace: { ...noisePace, atMsOfDay: settings.noiseAtMsOfDay },
    tell: (event) => {
      measurements.notice(event);
      switch (event.event) {
        case 'key-untrusted':
          note({
            code: 'key-untrusted',
            message: `analyser: the log does not trust its key ${event.keyId}`,
            hint: 'plimsoll keys trust FILE --role=analyser …',
          });
          return;
        case 'part-stopped':
          note({
            code: 'unreachable',
            message: `analyser: ${event.part}: ${event.message}; again in ${event.retryInMs} ms`,
            hint: '',
          });
          return;
        case 'excluded': {
          const counts = Object.entries(event.points).map(([why, count]) => `${why} ${count}`);
          const message =
            event.deployment === null
              ? `telemetry that was not taken: ${counts.join(', ')}`
              : `points that are no evidence for deployment ${event.deployment}: ${counts.join(', ')}`;
          note({
            code: 'excluded',
            message: `analyser: ${message}`,
            hint:
              'either-cohort' in event.points
                ? 'a sender names no service.version, or both cohorts have the same: set it everywhere, and deployment.id, which release plan printed, on the canary'
                : (hintOfRefused(event.points) ??
                  'does the service send its service.version, deployment.environment.name and its own time?'),
          });
          return;
        }
        case 'metric-unsent': {
          const { deployment, metrics: unsent } = event;
          const names = unsent.map(({ id, names: sent }) => `${id} (${sent.join(', ')})`);
          const isCritical = unsent.some(({ critical }) => critical);
          note({
            code: 'metric-unsent',
            message: `analyser: neither cohort of deployment ${deployment} has sent ${names.join('; ')}: ${isCritical ? 'nothing is promoted without what is critical, the rest weighs nothing' : 'it weighs nothing'}`,
            hint: 'are the names right? plimsoll policy check POLICY --against=CAPTURE; weight: 0 in the policy says that it is meant so. Requests of probes and scrapes alone (/healthz, /metrics) are none',
          });
          return;
        }
        case 'targets-together': {
          const { deployment, target, targets } = event;
          note({
            code: 'targets-together',
            message: `analyser: of deployment ${deployment}: ${togetherText(target, targets)}`,
            hint: togetherHint(target, targets),
          });
          return;
        }
        case 'no-bound': {
          const { deployment } = event;
          for (const noBound of event.metrics)
            note({
              code: 'no-bound',
              message: `analyser: of deployment ${deployment}, ${noBound.metric}: ${noBoundWords(noBound)}`,
              hint: noBoundRemedy,
            });
          return;
        }
        case 'status-unsaid': {
          const { deployment } = event;
          for (const unsaid of event.metrics)
            note({
              code: 'status-unsaid',
              message: `analyser: of deployment ${deployment}, ${unsaid.metric}: ${unsaidWords(unsaid)}`,
              hint: unsaidRemedy(unsaid),
            });
          return;
        }
        case 'analysis-opened': {
          const { deployment, attempt, carriedFrom, independentAttempts } = event;
          const before =
            carriedFrom !== null
              ? `; goes on from the evidence of analysis ${carriedFrom}`
              : independentAttempts > 1
                ? `; attempt ${independentAttempts} of its artifacts without the evidence of those before`
                : '';
          const message = `analyser: compares deployment ${deployment}, attempt ${attempt}${before}`;
          note({ code: 'analysis-opened', message, hint: '' });
          return;
        }
        case 'opening-refused':
          note({
            code: event.why,
            message: `analyser: does not judge deployment ${event.deployment}: ${whyRefused[event.why].what}`,
            hint: whyRefused[event.why].hint,
          });
          return;
        case 'decided':
          if (event.position === null) return;
          note({
            code: 'decided',
            message: `analyser: ${event.kind} for deployment ${event.deployment} (position ${event.position})`,
            hint: '',
          });
          return;
        case 'not-kept':
          note({
            code: 'not-kept',
            message: `analyser: not kept: ${event.what}: ${event.message}`,
            hint: hintOfUnkept[event.what],
          });
          return;
        case 'started':
        case 'taken-over':
        case 'noise-learned':
        case 'renewed':
      }
    },
  });
  alongside.analyser = analyser.status;
  await ownMetrics.add(measurements.read(analyser.status));
  return ok({
    name: 'analyser',
    lines: [
      `analyser: signs with key ${signer.value.keyId}, policies ${settings.policyFile ?? 'of the log'}`,
    ],
    ended: new Promise(() => undefined),
    stop: analyser.stop,
  });
};

const whyRefused = {
  'opened-late': {
    what: 'its opening was appended more than ten minutes after it was made',
    hint: 'do the clocks of the analysers and of the log differ?',
  },
  'partition-full': {
    what: 'too many canaries are open at once',
    hint: 'end attempts that are over (plimsoll release update), or use another audience',
  },
} as const;

const hintOfUnkept = {
  snapshot: 'nothing is lost by it; a restart reads more again',
  evidence: 'an attempt that is begun anew with the same artifacts starts without it',
  noise: 'canaries are judged with what was learned before, or with the fallback',
  progress: 'gate and problems do not tell how canaries stand; decisions are made all the same',
  before: 'a rollout that is compared with what ran before ends without a verdict',
  samples: 'is there room in the folder of PLIMSOLL_ARCHIVE? their topic has them for a week',
} as const;

/** Of the first reason among these for which requests could not be counted; undefined: of none. */
const hintOfRefused = (points: { readonly [reason: string]: number }): string | undefined => {
  const reason = pointRefusals.find((one) => one in points);
  return reason && `${reason}: ${refusalRemedies[reason]}; until then nothing is promoted`;
};

/** The policies of a file; null: those of the log count. */
const readPolicies = async (
  path: string | null,
): Promise<Result<PolicyDocument | null, CliProblem>> => {
  if (path === null) return ok(null);
  const text = await readTextFile(path, documentFileBytesMax);
  if (!text.ok) return text;
  const { readYaml } = await import('../../adapters/yaml/read-yaml.ts');
  const read = readPolicyFile(readYaml, text.value);
  if (read.ok) return ok(read.value.document);
  const [first] = read.problem;
  const what = first === undefined ? 'no policies' : `line ${first.line}: ${first.message}`;
  return refuse('policy-invalid', `${path}: ${what}`, 'PLIMSOLL_POLICY names this file; mend it');
};
