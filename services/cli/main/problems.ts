import type { Result } from '../../core/result.ts';
import { fail } from '../../core/result.ts';
import type { ProblemAnswer, ProblemQuestion } from '../../ports/problem-view.ts';
import { openGeneration } from '../../projector/catch-up.ts';
import { foldInstancesToEnd } from '../../projector/instances.ts';
import { readProblems } from '../../projector/problems.ts';
import type { FoldProgress } from '../ports.ts';
import type { CliProblem, ProblemCode } from '../problem.ts';
import { foldFailed, problem } from '../problem.ts';
import type { Composition } from './composition.ts';
import { openProjection } from './composition.ts';
import { openInstancePorts } from './instances.ts';

/** Folds what is new, of the log and of instances, and reads the problems from it. */
export const problemsAtHand = async (
  composition: Composition,
  question: ProblemQuestion,
  onProgress: (progress: FoldProgress) => void,
): Promise<Result<ProblemAnswer, CliProblem>> => {
  const projection = await openProjection(composition);
  if (!projection.ok) return projection;
  const folded = await openGeneration(projection.value, { onProgress });
  if (!folded.ok) return fail(foldFailed(folded.problem));
  const { foundation } = composition;
  let instanceStore = null;
  // To look makes no place for instances where none ever was.
  if (foundation.mayHaveInstances()) {
    const ports = await openInstancePorts(composition, projection.value);
    if (!ports.ok) return ports;
    const counted = await foldInstancesToEnd(ports.value, onProgress);
    if (!counted.ok) return fail(foldFailed(counted.problem));
    ({ instanceStore } = ports.value);
  }
  const { generation } = folded.value;
  const source = { store: projection.value.store, generation, instanceStore };
  const found = await readProblems(foundation.tools)(source, question);
  return found.ok ? found : fail(readFailed(found.problem));
};

/** The problems as a gateway tells them: of read models that a projector keeps up to date. */
export const problemsOfProjector =
  ({ foundation }: Pick<Composition, 'foundation'>) =>
  async (
    question: ProblemQuestion,
  ): Promise<Result<ProblemAnswer, { readonly code: string; readonly message: string }>> => {
    const store = await foundation.store();
    if (!store.ok) return store;
    const current = await store.value.current();
    if (!current.ok) return current;
    if (current.value === undefined)
      return fail({ code: 'not-ready', message: 'there are no read models yet' });
    const instances = foundation.mayHaveInstances() ? await foundation.instanceStore() : null;
    if (instances !== null && !instances.ok) return instances;
    return readProblems(foundation.tools)(
      {
        store: store.value,
        generation: current.value,
        instanceStore: instances === null ? null : instances.value,
      },
      question,
    );
  };

const readFailed = ({
  code,
  message,
}: {
  readonly code: ProblemCode | 'changing';
  readonly message: string;
}): CliProblem =>
  code === 'changing'
    ? problem('unreachable', message, 'call again')
    : foldFailed({ code, message });
