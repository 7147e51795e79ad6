import { lackOf } from '../../core/canary/policy/required-fields.ts';
import type { Planned, Slot } from '../../core/markers/marker.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import { textIn } from './line-fields.ts';
import type { CliProblem } from '../problem.ts';
import type { Reader } from './reader.ts';

/**
 * What plans of a deployment lack that the policy required that counted then, in a sentence each. A plan that came by
 * another way than a command or a gateway is on the log all the same. The attempt's token is not looked at.
 */
export const lacksOf = async (
  reader: Reader,
  view: Line,
): Promise<Result<readonly string[], CliProblem>> => {
  const sentences: string[] = [];
  for (const attempt of linesIn(view, 'attempts')) {
    const plan = linesIn(attempt, 'history').find(
      ({ kind }) => kind === 'planned' || kind === 'logged',
    );
    const position = plan?.['position'];
    if (plan === undefined || typeof position !== 'number') continue;
    const listed = await reader.list('policies', {
      newestMax: 1,
      isWanted: (line) => typeof line['position'] === 'number' && line['position'] < position,
    });
    if (!listed.ok) return listed;
    const [counted] = listed.value;
    if (counted === undefined) continue;
    const setAt = Number(counted['position']);
    const policy = await reader.policy(setAt);
    if (!policy.ok) return policy;
    const lack = lackOf(
      {
        position: setAt,
        document: JSON.stringify(policy.value?.['document'] ?? null),
      },
      markerIn(attempt, textIn(plan, 'kind')),
    );
    if (lack !== undefined)
      sentences.push(
        `attempt ${textIn(attempt, 'attempt')} lacks ${lack.fields.join(', ')}, which the policy at position ${setAt} requires`,
      );
  }
  return ok(sentences);
};

const linesIn = (line: Line, name: string): readonly Line[] =>
  Array.isArray(line[name]) ? (line[name] as readonly Line[]) : [];

const nothingSaid: Planned['details'] = {
  ...{ commit: null, repository: null, build: null, trigger: null, actor: null, owner: null },
  ...{ tickets: [], intent: null, riskFlags: [], cluster: null, zone: null },
  ...{ functionVersion: null, functionAlias: null, runbook: null },
  ...{ resources: [], labels: [], links: [], changes: [] },
};

type Asked = Parameters<typeof lackOf>[1];

/** As far as `lackOf` looks at it. */
const markerIn = (attempt: Line, kind: string): Asked => {
  const { digest, strategy, canaryShare, details, environment, component } = attempt;
  return {
    kind,
    slot: { environment, component } as unknown as Slot,
    attempt: 'not looked at',
    ...{ digest, strategy, canaryShare },
    // A view leaves out what nobody said.
    details: { ...nothingSaid, ...(details as object) },
  } as unknown as Planned;
};
