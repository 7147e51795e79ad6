import { openAppender } from '../../gateway/appender.ts';
import type { Position } from '../../core/log/record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { Chance } from './chance.ts';
import type { Corpus } from './corpus.ts';
import type { Fact } from './told.ts';

// Who writes what in one schedule: pipelines that resend what they were not told of, strangers, analysers.

/** What is sent at the same time, so long after what came before. */
export type Group = { readonly afterMs: number; readonly facts: readonly Fact[] };

/** What one emitter has to say, in its order. */
export type Emission = { readonly name: string; readonly groups: readonly Group[] };

export type Workload = {
  readonly emissions: readonly Emission[];
  /** Faults that lie in what is sent, by name. */
  readonly faults: readonly string[];
};

const pipelinesMin = 3;
const pipelinesSpan = 3;
const troublesMax = 7;
const emittersMax = 3;
/** Emitters rest in between, so that records come while everything else goes on. */
const restShare = 0.7;
const restMsMax = 5_000;

/** Takes a schedule's records from the corpus. `keeps` is asked of each fault that lies in a record. */
export const chooseWorkload = (
  corpus: Corpus,
  chance: Chance,
  keeps: (fault: string) => boolean,
): Workload => {
  const faults: string[] = [];
  const emitters = Array.from({ length: 1 + chance.below(emittersMax) }, (): Fact[] => []);
  const somewhere = (facts: Fact[]): number => chance.below(facts.length + 1);
  const trouble = (fault: string, fact: Fact): void => {
    const among = chance.oneOf(emitters);
    const at = somewhere(among);
    if (!keeps(fault)) return;
    faults.push(fault);
    among.splice(at, 0, fact);
  };
  const pipelines = Array.from({ length: pipelinesMin + chance.below(pipelinesSpan) }, () =>
    chance.oneOf(corpus.pipelines),
  );
  for (const { steps } of pipelines) {
    const emitter = chance.oneOf(emitters);
    let at = 0;
    for (const step of steps) {
      at += chance.below(emitter.length - at + 1);
      emitter.splice(at++, 0, step);
    }
  }
  for (let more = chance.below(3); more > 0; more--) {
    const facts = chance.oneOf(corpus.beside);
    const emitter = chance.oneOf(emitters);
    for (const fact of facts) emitter.splice(somewhere(emitter), 0, fact);
  }
  for (let more = chance.below(troublesMax); more > 0; more--) {
    const { steps, troubles } = chance.oneOf(pipelines);
    const { fault, fact } = chance.happens(0.3)
      ? { fault: 'duplicate', fact: chance.oneOf(steps) }
      : chance.oneOf(troubles);
    trouble(fault, fact);
  }
  if (chance.happens(0.5)) {
    const { fault, fact } = chance.oneOf(corpus.strays);
    trouble(fault, fact);
  }
  for (let more = chance.below(3); more > 0; more--)
    trouble('trust-change', chance.oneOf(corpus.trustChanges));
  return {
    faults,
    emissions: [
      ...emitters.map((facts, index) => ({
        name: `emitter ${index + 1}`,
        groups: grouped(facts, chance, 0.6),
      })),
      ...analysersOf(pipelines, chance),
    ],
  };
};

/** Two that say the same, each in its own time. */
const analysersOf = (pipelines: Corpus['pipelines'], chance: Chance): readonly Emission[] => {
  const decided = pipelines.flatMap(({ decisions }) => decisions);
  if (decided.length === 0 || chance.happens(0.5)) return [];
  const said = decided.filter(() => chance.happens(0.6));
  return ['analyser 1', 'analyser 2'].map((name) => ({
    name,
    groups: grouped(
      said.filter(() => chance.happens(0.8)),
      chance,
      0,
    ),
  }));
};

const grouped = (
  facts: readonly Fact[],
  chance: Chance,
  togetherShare: number,
): readonly Group[] => {
  const groups: { readonly afterMs: number; readonly facts: Fact[] }[] = [];
  for (const fact of facts) {
    const last = groups.at(-1);
    const afterMs = chance.happens(restShare) ? chance.below(restMsMax) : 0;
    if (last !== undefined && chance.happens(togetherShare)) last.facts.push(fact);
    else groups.push({ afterMs, facts: [fact] });
  }
  return groups;
};

export type Emitting = {
  readonly log: RecordLog;
  readonly clock: Clock;
  readonly throughGateway: boolean;
  /** The log has said that it has it. */
  readonly acknowledged: (position: Position, fact: Fact) => void;
};

const resendAfterMs = 300;

/** Sends everything, and again what nobody has acknowledged: the same bytes. */
export const emit = async (
  { log, clock, throughGateway, acknowledged }: Emitting,
  { groups }: Emission,
): Promise<void> => {
  const appender = throughGateway ? openAppender(log) : undefined;
  const append = async (fact: Fact): Promise<Position | 'again' | 'refused'> => {
    if (appender !== undefined) {
      const answer = await appender.append(fact.record);
      if (answer.ok) return answer.value;
      return answer.problem.code === 'log-refused' ? 'refused' : 'again';
    }
    const answer = await log.append(0, [fact.record]);
    if (answer.ok) return answer.value[0]?.position ?? 'again';
    return answer.problem.code === 'refused' ? 'refused' : 'again';
  };
  const send = async (fact: Fact): Promise<void> => {
    for (;;) {
      const answer = await append(fact);
      if (typeof answer === 'number') acknowledged(answer, fact);
      if (answer !== 'again') return;
      await clock.sleep(resendAfterMs);
    }
  };
  for (const { afterMs, facts } of groups) {
    await clock.sleep(afterMs);
    await Promise.all(facts.map(send));
  }
};
