import type { DeliveryRefused } from '../../ports/delivery.ts';
import type { ExitCode } from '../problem.ts';

type Fault = DeliveryRefused['fault'];

/** Whose fault a refusal is, as exit codes have it. All else is an outage. */
export const exitOfFault: { readonly [Name in Fault]: ExitCode } = {
  input: 2,
  rule: 3,
  unknown: 4,
  key: 5,
};

export const faultOfExit = (exit: ExitCode): Fault | undefined =>
  (Object.keys(exitOfFault) as Fault[]).find((fault) => exitOfFault[fault] === exit);
