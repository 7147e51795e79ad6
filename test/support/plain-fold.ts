// A second reading of what status, attempts and `current` mean, written from the design in the plainest way: it goes
// over everything that was said again and again, and shares no code with the core. It knows histories in which
// each deployment is planned first, and for one slot.

/** One authentic marker, as a flat list tells it. */
export type Told = {
  readonly position: number;
  /** When it counts, milliseconds. */
  readonly at: number;
  readonly kind: string;
  readonly deployment: string;
  readonly slot: string | null;
  readonly token: string | null;
  readonly version: string | null;
  readonly digest: string | null;
  readonly reason: string | null;
  /** Slots where its signer may act. */
  readonly mayActIn: (slot: string) => boolean;
};

export type PlainAttempt = {
  readonly number: number;
  readonly slot: string;
  readonly version: string | null;
  readonly digest: string | null;
  readonly tokens: Set<string>;
  readonly said: Told[];
  /** What said again that it is there. */
  readonly again: Told[];
};

export type PlainStatus = {
  readonly status: string;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
};

const ends = ['succeeded', 'failed', 'canceled'];
/** What needs no plan, and is over when it is said. */
const places = ['logged', 'recorded', 'undeployed', 'released', 'support-ended'];

/** planned < running < ended, and the first end stays. What names another slot says nothing. */
export const plainStatus = (attempt: PlainAttempt): PlainStatus => {
  const here = attempt.said.filter(({ slot }) => slot === null || slot === attempt.slot);
  const end = here.find(({ kind }) => ends.includes(kind) || places.includes(kind));
  const start = here.find(
    ({ kind, position }) => kind === 'started' && (end === undefined || position < end.position),
  );
  return {
    status: end?.kind ?? (start === undefined ? 'planned' : 'running'),
    startedAt: start?.at ?? null,
    endedAt: end?.at ?? null,
  };
};

export type PlainCurrent = {
  readonly holder: string | null;
  readonly releases: readonly string[];
  readonly uncertain: boolean;
  readonly beside: readonly string[];
};

export class PlainFold {
  readonly deployments: Map<string, PlainAttempt[]> = new Map<string, PlainAttempt[]>();

  tell(told: Told): void {
    if (places.includes(told.kind)) this.#placed(told);
    else if (told.kind === 'planned') this.#planned(told);
    else this.#updated(told);
  }

  #planned(told: Told): void {
    if (told.slot === null || !told.mayActIn(told.slot)) return;
    const attempts = this.deployments.get(told.deployment) ?? [];
    this.deployments.set(told.deployment, attempts);
    const last = attempts.at(-1);
    const isKnown =
      told.token === null
        ? last !== undefined && plainStatus(last).endedAt === null
        : attempts.some(({ tokens }) => tokens.has(told.token ?? ''));
    if (!isKnown) attempts.push(newAttempt(told, attempts.length + 1, told.slot, told));
  }

  #updated(told: Told): void {
    const attempts = this.deployments.get(told.deployment) ?? [];
    const last = attempts.at(-1);
    if (last === undefined || !told.mayActIn(last.slot)) return;
    if (told.slot !== null && !told.mayActIn(told.slot)) return;
    const known = attempts.find(({ tokens }) => tokens.has(told.token ?? ''));
    if (known !== undefined) known.said.push(told);
    else if (told.slot !== null && told.slot !== last.slot) last.said.push(told);
    else if (told.token !== null && plainStatus(last).endedAt !== null)
      attempts.push(newAttempt(told, attempts.length + 1, last.slot, last));
    else {
      last.said.push(told);
      if (told.token !== null) last.tokens.add(told.token);
    }
  }

  #placed(told: Told): void {
    const { slot, kind } = told;
    if (slot === null || !told.mayActIn(slot)) return;
    const there =
      kind === 'released' || kind === 'support-ended' ? this.#releases(slot) : this.#deployed(slot);
    const same = there.find(
      ({ version, digest }) =>
        (kind === 'undeployed' && told.version === '') ||
        (version === told.version &&
          (digest === told.digest || (kind !== 'logged' && told.digest === null))),
    );
    if (kind === 'undeployed' || kind === 'support-ended') {
      if (same !== undefined && same.saidAt <= told.at) this.#add(told, slot, same);
    } else if (same === undefined || (kind !== 'released' && this.current(slot).uncertain))
      this.#add(told, slot, told);
    else same.again.push(told);
  }

  #add(told: Told, slot: string, what: Artifact): void {
    this.deployments.set(told.deployment, [newAttempt(told, 1, slot, what)]);
  }

  /** Everything that ended in the slot, by the time when it did; of two at once what was told last is the last. */
  #endedIn(slot: string): readonly Ended[] {
    const here = [...this.deployments.values()].flat().filter((attempt) => attempt.slot === slot);
    const ended = here.flatMap((attempt) => {
      const { status, endedAt } = plainStatus(attempt);
      const end = attempt.said.find(
        ({ kind, slot: named }) => kind === status && (named === null || named === slot),
      );
      return endedAt === null || end === undefined
        ? []
        : [{ ...attempt, status, at: endedAt, position: end.position, ...lastSaid(attempt, end) }];
    });
    return ended.toSorted((a, b) => a.saidAt - b.saidAt || a.saidPosition - b.saidPosition);
  }

  /** What holds the slot: the success that is last in time, unless it was taken away since. */
  #deployed(slot: string): readonly Ended[] {
    const last = this.#endedIn(slot).findLast(({ status }) =>
      [...comes, 'undeployed'].includes(status),
    );
    return last === undefined || last.status === 'undeployed' ? [] : [last];
  }

  /** Each version that was released and whose support did not end since. */
  #releases(slot: string): readonly Ended[] {
    const told = this.#endedIn(slot).filter(({ status }) =>
      ['released', 'support-ended'].includes(status),
    );
    return told
      .filter(
        (one) =>
          one.status === 'released' &&
          told.findLast(({ version }) => version === one.version) === one,
      )
      .toSorted((a, b) => a.at - b.at || a.position - b.position);
  }

  current(slot: string): PlainCurrent {
    const here = [...this.deployments.values()].flat().filter((attempt) => attempt.slot === slot);
    const [holder] = this.#deployed(slot);
    const since = this.#endedIn(slot).filter(
      ({ status }) => !['released', 'support-ended'].includes(status),
    );
    return {
      holder: holder === undefined ? null : nameOf(holder),
      releases: this.#releases(slot).map(nameOf),
      uncertain: holder !== undefined && since.at(-1)?.position !== holder.position,
      beside: here
        .filter((attempt) => plainStatus(attempt).endedAt === null)
        .map((attempt) => `${attempt.version} ${plainStatus(attempt).status}`)
        .toSorted(),
    };
  }
}

const comes = ['succeeded', 'logged', 'recorded'];

type Artifact = { readonly version: string | null; readonly digest: string | null };
type Ended = Artifact & {
  readonly status: string;
  readonly at: number;
  readonly position: number;
  readonly again: Told[];
  /** When it was last said, and by which record. */
  readonly saidAt: number;
  readonly saidPosition: number;
};

const lastSaid = ({ again }: PlainAttempt, end: Told): Pick<Ended, 'saidAt' | 'saidPosition'> => {
  const last = again.reduce((before, one) => (one.at > before.at ? one : before), end);
  return { saidAt: last.at, saidPosition: last.position };
};

const nameOf = ({ version, digest }: Artifact): string => `${version} ${digest}`;

const newAttempt = (
  told: Told,
  number: number,
  slot: string,
  plan: { readonly version: string | null; readonly digest: string | null },
): PlainAttempt => ({
  number,
  slot,
  version: plan.version,
  digest: plan.digest,
  tokens: new Set(told.token === null ? [] : [told.token]),
  said: [told],
  again: [],
});
