import type { PolicyDocument } from '../canary/policy/placed-policy.ts';
import { policyFor } from '../canary/policy/placed-policy.ts';
import { readDocumentText } from '../canary/policy/parse-policy.ts';
import { lackIn } from '../canary/policy/required-fields.ts';
import type { Demanded } from '../canary/policy/required-fields.ts';
import type { Attempt, Plan } from '../deployment.ts';
import type { Position } from '../log/record.ts';
import type { Details } from '../markers/marker.ts';
import type { PolicyRow } from '../policy-records.ts';
import type { AttemptLine } from '../slot-state.ts';
import type { Problem, ProblemRows } from './problem.ts';
import { placeName, problemOf } from './problem.ts';

// Plans that came to the log without what the policy of their place required then: a command or a gateway would have
// refused them.

/** A document that counted from its position on. */
type Counted = { readonly position: Position; readonly document: PolicyDocument };

/** Those that this release can read, oldest first. What it cannot read requires nothing here. */
const countedOf = (policies: readonly PolicyRow[]): readonly (Counted | null)[] =>
  policies.map(({ position, document }) => {
    const read = readDocumentText(document);
    return read.ok ? { position, document: read.value } : null;
  });

const countedAt = (
  policies: readonly PolicyRow[],
  counted: readonly (Counted | null)[],
  position: Position,
): Counted | null => counted[policies.findLastIndex((row) => row.position < position)] ?? null;

/** The deployments of which some plan was in a place where something was required. */
export const mayLack = (
  attempts: readonly AttemptLine[],
  policies: readonly PolicyRow[],
): readonly string[] => {
  if (policies.length === 0) return [];
  const counted = countedOf(policies);
  return attempts.flatMap(({ deployment, plan, component, environment }) => {
    const by = plan && countedAt(policies, counted, plan.position);
    if (by === null || component === null || environment === null) return [];
    const { policy } = policyFor(by.document, component, environment).placed;
    return policy.required.length === 0 ? [] : [deployment];
  });
};

export const lackingProblems = ({ deployments, policies }: ProblemRows): readonly Problem[] => {
  if (policies.length === 0) return [];
  const counted = countedOf(policies);
  return deployments.flatMap((deployment) =>
    deployment.attempts.flatMap((attempt): readonly Problem[] => {
      const { plan } = attempt;
      const by = plan && countedAt(policies, counted, plan.position);
      if (plan === null || by === null || isLeaving(attempt)) return [];
      const lack = lackIn(by.document, by.position, demanded(attempt, plan));
      if (lack === undefined) return [];
      return [
        problemOf({
          code: 'fields-missing',
          severity: 'warning',
          subject: `${deployment.id}/${attempt.number}`,
          message: `the plan of ${plan.version} in ${placeName(plan.slot)} lacks ${lack.fields.join(', ')}, which the policy at position ${by.position} requires`,
          hint: `with the next plan ${lack.hint}`,
          place: plan.slot,
          deployment: deployment.id,
          principal: plan.principal,
          count: lack.fields.length,
          missing: lack.fields,
          positions: [by.position, plan.position],
          at: attempt.openedAtMs,
        }),
      ];
    }),
  );
};

/** What is gone brings nothing of which a policy could require more. */
const isLeaving = ({ status }: Attempt): boolean =>
  status === 'undeployed' || status === 'support-ended';

const demanded = ({ entries, tokens }: Attempt, plan: Plan): Demanded => ({
  kind: entries.some(({ position, kind }) => position === plan.position && kind !== 'planned')
    ? 'logged'
    : 'planned',
  slot: plan.slot,
  digest: plan.digest,
  strategy: plan.strategy,
  canaryShare: plan.canaryShare,
  attempt: tokens[0] ?? null,
  details: { ...nothingSaid, ...plan.details },
});

const nothingSaid: Details = {
  ...{ commit: null, repository: null, build: null, trigger: null, actor: null, owner: null },
  ...{ tickets: [], intent: null, riskFlags: [], cluster: null, zone: null },
  ...{ functionVersion: null, functionAlias: null, runbook: null },
  ...{ resources: [], labels: [], links: [], changes: [] },
};
