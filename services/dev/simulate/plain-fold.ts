import type { Place, Scope, Told } from './told.ts';

// A second reading of what a log means, written from the design in the plainest way: it keeps what was said, goes
// over it again and again, and shares no code with the core. Deployments of the simulation are planned for one place.

type PlainKey = {
  readonly scope: Scope;
  isRetired: boolean;
  compromisedSince: number | null;
};

type Said = { readonly position: number; readonly at: number; readonly told: Told };
type Decision = Said & { readonly note: string };

export type PlainAttempt = {
  readonly number: number;
  readonly openedAt: number;
  plan: Said | null;
  /** The record with which it had its plan: its own, or one that took an earlier plan over. */
  plannedBy: number;
  tokens: readonly string[];
  said: readonly Said[];
  decisions: readonly Decision[];
};

export type PlainDeployment = {
  attempts: readonly PlainAttempt[];
  /** Position of the first, and what stands against it. */
  conflicts: readonly {
    readonly first: number;
    readonly identity: string;
    readonly content: string;
  }[];
};

export type PlainMarker = {
  readonly content: string;
  readonly position: number;
  readonly deployment: string;
  /** Where its attempt was opened; null: it is of none. */
  readonly openedAt: number | null;
};

export type PlainStatus = {
  readonly status: string;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** When it was known that it ended so. */
  readonly endKnownAt: number;
  /** What each marker did, in the order of the log. */
  readonly notes: readonly string[];
};

export type PlainHolder = { readonly version: string; readonly uncertain: boolean };

const goingOn: readonly (readonly [begin: string, end: string])[] = [
  ['incident-opened', 'incident-resolved'],
  ['migration-started', 'migration-finished'],
];
const besideDeployments: readonly string[] = [
  ...goingOn.flat(),
  ...['label', 'flag-changed', 'config-changed', 'secret-changed'],
];

const ends = ['succeeded', 'failed', 'canceled'];

const matches = (patterns: readonly string[], name: string): boolean =>
  patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name,
  );

const isSame = (a: Place, b: Place): boolean =>
  a.environment === b.environment && a.component === b.component;

export const placeName = ({ environment, component }: Place): string =>
  `${environment} ${component}`;

/** Reads the log record by record; `tell` answers what became of each. */
export class PlainFold {
  readonly keys: Map<string, PlainKey> = new Map<string, PlainKey>();
  readonly deployments: Map<string, PlainDeployment> = new Map<string, PlainDeployment>();
  /** Code by position. */
  readonly deadLetters: Map<number, string> = new Map<number, string>();
  /** Incidents and migrations that were begun or ended in a place, as they came. */
  readonly sayings: Map<string, readonly Said[]> = new Map<string, readonly Said[]>();
  /** `marker principal` of what counts. */
  readonly markers: Map<string, PlainMarker> = new Map<string, PlainMarker>();
  readonly #trustMarkers = new Map<string, string>();
  #timeMs = 0;
  #log = '';

  /** `trust`, `duplicate`, the note of what was applied, or the code of a dead letter. */
  tell(position: number, appendedAtMs: number, told: Told): string {
    this.#timeMs = Math.max(this.#timeMs, appendedAtMs);
    const outcome = this.#judge(position, told);
    const [kind, code] = outcome;
    if (kind === 'dead') this.deadLetters.set(position, code);
    return code;
  }

  #judge(position: number, told: Told): readonly ['dead' | 'taken', string] {
    const flaw = position === 0 ? undefined : this.#flaw(told);
    if (flaw !== undefined) return ['dead', flaw];
    if (told.role === 'trust-admin') return this.#trust(position, told);
    const identity = `${told.marker} ${told.by}`;
    const first = this.markers.get(identity);
    if (first !== undefined) {
      if (first.content === told.content) return ['taken', 'duplicate'];
      this.#conflict(identity, first, told);
      return ['dead', 'conflict'];
    }
    const said: Said = { position, at: this.#timeMs - (told.waited?.ms ?? 0), told };
    if (told.role === 'operator' || besideDeployments.includes(told.kind)) {
      const code = this.#circumstance(said);
      if (code === 'out-of-scope') return ['dead', code];
      const own = { content: told.content, position, deployment: '', openedAt: null };
      this.markers.set(identity, own);
      return ['taken', code];
    }
    const answer = this.#live(said);
    if (answer.refused !== undefined) return ['dead', answer.refused];
    const { deployment, note } = answer;
    const attempts = this.deployments.get(deployment)?.attempts ?? [];
    const attempt = attempts.find((one) => one.said.some((other) => other.position === position));
    const openedAt = attempt?.openedAt ?? -1;
    this.markers.set(identity, { content: told.content, position, deployment, openedAt });
    return ['taken', note];
  }

  #flaw(told: Told): string | undefined {
    if (told.unreadable !== null) return told.unreadable;
    const key = this.keys.get(told.by);
    if (key === undefined) return 'key-unknown';
    if (key.compromisedSince !== null) return 'key-compromised';
    if (key.isRetired) return 'key-retired';
    if (told.spoilt !== null) return told.spoilt;
    if (!key.scope.roles.includes(told.role)) return 'role-missing';
    if (!matches(key.scope.kinds, told.kind)) return 'kind-not-allowed';
    if (told.waited === null) return undefined;
    const courier = this.keys.get(told.waited.by);
    const mayDeliver =
      courier !== undefined &&
      courier.compromisedSince === null &&
      !courier.isRetired &&
      ['emitter', 'gateway', 'operator'].some((role) => courier.scope.roles.includes(role));
    return mayDeliver && told.waited.isGood ? undefined : 'waited-bad';
  }

  #trust(position: number, told: Told): readonly ['dead' | 'taken', string] {
    const { trust } = told;
    if (trust === null) throw new TypeError('a change of trust says which key');
    const identity = `${told.marker} ${told.by}`;
    const seen = this.#trustMarkers.get(identity);
    if (seen === told.content) return ['taken', 'duplicate'];
    if (seen !== undefined) return ['dead', 'conflict'];
    const key = this.keys.get(trust.key);
    if (told.kind === 'log-opened' && position > 0) return ['dead', 'log-already-open'];
    if (position === 0) this.#log = trust.log;
    if (trust.log !== this.#log) return ['dead', 'wrong-log'];
    if (told.kind === 'log-opened' || told.kind === 'key-added') {
      if (key !== undefined) return ['dead', 'key-exists'];
      const scope = trust.scope ?? { roles: [], environments: [], components: [], kinds: [] };
      this.keys.set(trust.key, { scope, isRetired: false, compromisedSince: null });
    } else if (key === undefined) return ['dead', 'key-unknown'];
    else if (told.kind === 'key-retired') {
      if (key.isRetired) return ['dead', 'key-ended'];
      key.isRetired = true;
    } else {
      const since = trust.since ?? 0;
      key.compromisedSince = Math.min(since, key.compromisedSince ?? since);
    }
    this.#trustMarkers.set(identity, told.content);
    return ['taken', 'trust'];
  }

  /** What moves no deployment. */
  #circumstance(said: Said): string {
    const { told } = said;
    if (told.place === null) return 'operation';
    if (!this.#mayAct(told.by, told.place)) return 'out-of-scope';
    if (!goingOn.some((kinds) => kinds.includes(told.kind))) return 'circumstance';
    const key = placeName(told.place);
    this.sayings.set(key, [...(this.sayings.get(key) ?? []), said]);
    return 'circumstance';
  }

  /** What goes on in a place, in the order in which it began. */
  openIn(place: string): readonly string[] {
    const inTime = (this.sayings.get(place) ?? []).toSorted(
      (a, b) => a.at - b.at || a.position - b.position,
    );
    const open: string[] = [];
    for (const { told } of inTime) {
      const kinds = goingOn.find((two) => two.includes(told.kind));
      const name = `${kinds?.[0].split('-')[0]} ${told.version}`;
      const isOpen = open.includes(name);
      if (told.kind === kinds?.[0] && !isOpen) open.push(name);
      if (told.kind === kinds?.[1] && isOpen) open.splice(open.indexOf(name), 1);
    }
    return open;
  }

  #mayAct(key: string, place: Place): boolean {
    const scope = this.keys.get(key)?.scope;
    return (
      scope !== undefined &&
      matches(scope.environments, place.environment) &&
      matches(scope.components, place.component)
    );
  }

  #conflict(identity: string, first: { position: number; deployment: string }, told: Told): void {
    const deployment = this.deployments.get(first.deployment);
    if (deployment === undefined) return;
    const isKnown = deployment.conflicts.some(
      (other) =>
        other.identity === identity &&
        other.content === told.content &&
        other.first === first.position,
    );
    if (isKnown) return;
    const conflict = { first: first.position, identity, content: told.content };
    deployment.conflicts = [...deployment.conflicts, conflict];
  }

  #live(said: Said): { refused: string } | { refused?: never; deployment: string; note: string } {
    const { told } = said;
    const id = told.deployment ?? '';
    if (told.role === 'analyser') return this.#decided(said, id);
    if (told.kind === 'logged') return this.#logged(said, id);
    const deployment = this.deployments.get(id) ?? { attempts: [], conflicts: [] };
    const answer =
      told.kind === 'planned' ? this.#planned(said, deployment) : this.#updated(said, deployment);
    if (typeof answer === 'object') return answer;
    this.deployments.set(id, deployment);
    return { deployment: id, note: answer };
  }

  /** Attempts without a plan, as far as those who spoke there may act in this place. */
  #waiting(deployment: PlainDeployment, place: Place | undefined): readonly PlainAttempt[] {
    const waiting = deployment.attempts.filter(({ plan }) => plan === null);
    return place === undefined
      ? waiting
      : waiting.filter(({ said }) => said.some((one) => this.#expulsion(one, place) === undefined));
  }

  #expulsion({ position, told }: Said, place: Place): string | undefined {
    if (!this.#mayAct(told.by, place)) return 'out-of-scope';
    const since = this.keys.get(told.by)?.compromisedSince ?? null;
    return since !== null && since <= position ? 'key-compromised' : undefined;
  }

  /** Tokens that count in this place. */
  #tokens(attempt: PlainAttempt, place: Place | undefined): readonly string[] {
    if (attempt.plan !== null || place === undefined) return attempt.tokens;
    return attempt.said
      .filter((one) => this.#expulsion(one, place) === undefined)
      .flatMap(({ told }) => (told.token === null ? [] : [told.token]));
  }

  #withPlan(attempt: PlainAttempt, plan: Said, place: Place, plannedBy: number): void {
    for (const one of attempt.said) {
      const code = this.#expulsion(one, place);
      if (code === undefined) continue;
      this.deadLetters.set(one.position, code);
      this.markers.delete(`${one.told.marker} ${one.told.by}`);
    }
    attempt.tokens = [...new Set(this.#tokens(attempt, place))];
    attempt.said = attempt.said.filter((one) => this.#expulsion(one, place) === undefined);
    attempt.plan = plan;
    attempt.plannedBy = plannedBy;
  }

  #planned(said: Said, deployment: PlainDeployment): { refused: string } | string {
    const { told } = said;
    const place = told.place as Place;
    if (!this.#mayAct(told.by, place)) return { refused: 'out-of-scope' };
    const met = deployment.attempts.filter(({ plan }) => plan !== null);
    const waiting = this.#waiting(deployment, place);
    const known = [...waiting, ...met].findLast((attempt) =>
      told.token === null ? false : this.#tokens(attempt, place).includes(told.token),
    );
    const last = met.at(-1);
    const fallback =
      last === undefined
        ? waiting.findLast(
            (attempt) => told.token === null || this.#tokens(attempt, place).length === 0,
          )
        : told.token === null && readAttempt(last).endedAt === null
          ? last
          : undefined;
    const joined = known ?? fallback;
    if (joined === undefined) {
      this.#open(deployment, said, said);
      return 'applied';
    }
    if (joined.plan === null) {
      this.#withPlan(joined, said, place, said.position);
      hear(joined, said);
      return 'applied';
    }
    hear(joined, said);
    return planNote(joined.plan.told, told);
  }

  #updated(said: Said, deployment: PlainDeployment): { refused: string } | string {
    const { told } = said;
    if (told.place !== null && !this.#mayAct(told.by, told.place))
      return { refused: 'out-of-scope' };
    const planned = deployment.attempts.filter(({ plan }) => plan !== null);
    const place = planned[0]?.plan?.told.place ?? undefined;
    if (place !== undefined && !this.#mayAct(told.by, place)) return { refused: 'out-of-scope' };
    const waiting = this.#waiting(deployment, place);
    const isMisplaced = place !== undefined && told.place !== null && !isSame(place, told.place);
    const last = planned.at(-1) ?? waiting.at(-1);
    const known = [...waiting, ...planned].findLast((attempt) =>
      told.token === null ? false : this.#tokens(attempt, place).includes(told.token),
    );
    const opensNext =
      told.token !== null &&
      !isMisplaced &&
      last !== undefined &&
      readAttempt(last).endedAt !== null;
    const joined = known ?? (opensNext ? undefined : last);
    if (joined === undefined) {
      const opened = this.#open(deployment, said, planned.at(-1)?.plan ?? null);
      return noteOf(opened, said);
    }
    const lastPlan = planned.at(-1)?.plan ?? null;
    if (joined.plan === null && lastPlan !== null && place !== undefined)
      this.#withPlan(joined, lastPlan, place, said.position);
    joined.said = [...joined.said, said];
    if (!isMisplaced) learnToken(joined, told.token);
    return noteOf(joined, said);
  }

  #open(deployment: PlainDeployment, said: Said, plan: Said | null): PlainAttempt {
    const opened: PlainAttempt = {
      number: (deployment.attempts.at(-1)?.number ?? 0) + 1,
      openedAt: said.position,
      plan,
      plannedBy: said.position,
      tokens: said.told.token === null ? [] : [said.told.token],
      said: [said],
      decisions: [],
    };
    deployment.attempts = [...deployment.attempts, opened];
    return opened;
  }

  #logged(said: Said, id: string): { refused: string } | { deployment: string; note: string } {
    const { told } = said;
    const place = told.place as Place;
    if (!this.#mayAct(told.by, place)) return { refused: 'out-of-scope' };
    const held = this.#held(place);
    if (held !== undefined && !held.uncertain && held.version === told.version) {
      hear(held.attempt, said);
      return { deployment: held.deployment, note: 'repeat' };
    }
    const deployment = this.deployments.get(id) ?? { attempts: [], conflicts: [] };
    this.deployments.set(id, deployment);
    this.#open(deployment, said, said);
    return { deployment: id, note: 'applied' };
  }

  #decided(said: Said, id: string): { refused: string } | { deployment: string; note: string } {
    const { told } = said;
    const place = told.place as Place;
    if (!this.#mayAct(told.by, place)) return { refused: 'out-of-scope' };
    const deployment = this.deployments.get(id);
    if (deployment === undefined) return { refused: 'deployment-unknown' };
    const here = deployment.attempts.filter(
      ({ plan }) => plan !== null && isSame(plan.told.place as Place, place),
    );
    const attempt =
      told.token === null
        ? here.findLast(({ plan }) => plan?.told.version === told.version)
        : here.findLast(({ tokens }) => tokens.includes(told.token ?? ''));
    if (attempt === undefined) return { refused: 'decision-misplaced' };
    const isForged = ({ position, told: { by } }: Said): boolean => {
      const since = this.keys.get(by)?.compromisedSince ?? null;
      return since !== null && since <= position;
    };
    const note = decisionNote(deployment, attempt, told, isForged);
    attempt.decisions = [...attempt.decisions, { ...said, note }];
    hear(attempt, said);
    return { deployment: id, note };
  }

  /** What holds the place: the success that is last in time; of two at once the one that was known last. */
  #held(
    place: Place,
  ):
    | { deployment: string; attempt: PlainAttempt; version: string; uncertain: boolean }
    | undefined {
    const ended = this.#attemptsIn(place)
      .map(({ deployment, attempt }) => ({ deployment, attempt, read: readAttempt(attempt) }))
      .filter(({ read }) => read.endedAt !== null)
      .map((one) => ({ ...one, last: lastSaid(one.attempt, one.read) }))
      .toSorted((a, b) => a.last.at - b.last.at || a.last.knownAt - b.last.knownAt);
    const at = ended.findLastIndex(({ read }) => ['succeeded', 'logged'].includes(read.status));
    const holder = ended[at];
    if (holder === undefined) return undefined;
    const { deployment, attempt } = holder;
    const version = attempt.plan?.told.version ?? '';
    return { deployment, attempt, version, uncertain: at < ended.length - 1 };
  }

  #isInConflict({ deployment, attempt }: { deployment: string; attempt: PlainAttempt }): boolean {
    const found = this.deployments.get(deployment);
    return found !== undefined && conflictsOf(found, attempt) > 0;
  }

  #attemptsIn(place: Place): readonly { deployment: string; attempt: PlainAttempt }[] {
    return [...this.deployments].flatMap(([deployment, { attempts }]) =>
      attempts
        .filter(({ plan }) => plan !== null && isSame(plan.told.place as Place, place))
        .map((attempt) => ({ deployment, attempt })),
    );
  }

  /** As one line: what holds the place, and what stands beside it. Undefined where nothing was ever planned. */
  slotLine(place: Place): string | undefined {
    const here = this.#attemptsIn(place);
    if (here.length === 0) return undefined;
    const held = this.#held(place);
    const holder =
      held === undefined
        ? 'nothing'
        : [
            held.version,
            ...(held.uncertain ? ['uncertain'] : []),
            ...(this.#isInConflict(held) ? ['conflict'] : []),
          ].join(' ');
    const beside = here
      .filter(({ attempt }) => readAttempt(attempt).endedAt === null)
      .toSorted((a, b) => a.attempt.openedAt - b.attempt.openedAt)
      .map(({ attempt }) => `${attempt.plan?.told.version} ${readAttempt(attempt).status}`);
    return [holder, ...beside].join(', ');
  }

  places(): readonly Place[] {
    const found = new Map<string, Place>();
    for (const { attempts } of this.deployments.values())
      for (const { plan } of attempts)
        if (plan?.told.place) found.set(placeName(plan.told.place), plan.told.place);
    return [...found.values()];
  }
}

/** When it was last said to be there, and where the log says so: its end, or that it was logged again. */
const lastSaid = (
  { said, plan }: PlainAttempt,
  { endedAt, endKnownAt }: PlainStatus,
): { readonly at: number; readonly knownAt: number } =>
  said
    .filter(({ told, position }) => told.kind === 'logged' && position !== plan?.position)
    .map(({ at, position }) => ({ at, knownAt: position }))
    .reduce((last, again) => (again.at > last.at ? again : last), {
      at: endedAt ?? 0,
      knownAt: endKnownAt,
    });

const learnToken = (attempt: PlainAttempt, token: string | null): void => {
  if (token !== null && !attempt.tokens.includes(token))
    attempt.tokens = [...attempt.tokens, token];
};

const hear = (attempt: PlainAttempt, said: Said): void => {
  attempt.said = [...attempt.said, said];
  if (said.told.kind === 'planned') learnToken(attempt, said.told.token);
};

const planNote = (first: Told, again: Told): string =>
  placeName(first.place as Place) !== placeName(again.place as Place) ||
  first.version !== again.version ||
  first.share !== again.share
    ? 'contradiction'
    : first.details === again.details
      ? 'repeat'
      : 'disagreement';

const decisionNote = (
  deployment: PlainDeployment,
  attempt: PlainAttempt,
  told: Told,
  isForged: (said: Said) => boolean,
): string => {
  if (readAttempt(attempt).endedAt !== null) return 'late';
  const standing = attempt.decisions.filter((one) => one.note === 'applied' && !isForged(one));
  const forged = attempt.decisions.filter(isForged).map(({ position }) => position);
  if (standing.some((one) => one.told.kind === 'roll-back'))
    return told.kind === 'roll-back' ? 'repeat' : 'contradiction';
  if (told.kind !== 'promote') return 'applied';
  if (conflictsOf(deployment, attempt, forged) > 0) return 'held';
  const isRepeat = standing.some(
    (one) =>
      one.told.kind === told.kind &&
      one.told.decision?.analysis === told.decision?.analysis &&
      one.told.decision?.evidence === told.decision?.evidence,
  );
  return isRepeat ? 'repeat' : 'applied';
};

const conflictsOf = (
  deployment: PlainDeployment,
  attempt: PlainAttempt,
  forged: readonly number[] = [],
): number =>
  deployment.conflicts.filter(
    ({ first }) =>
      attempt.said.some(({ position }) => position === first) && !forged.includes(first),
  ).length;

const noteOf = (attempt: PlainAttempt, said: Said): string =>
  readAttempt(attempt).notes[attempt.said.indexOf(said)] ?? '';

/** planned < running < ended, and the first end stays. Goes over all that was said, in order. */
export const readAttempt = (attempt: PlainAttempt): PlainStatus => {
  const { plan, plannedBy, said, decisions } = attempt;
  let status = 'planned';
  let startedAt: number | null = null;
  let ended: Said | undefined;
  const moved: Said[] = [];
  const firsts = new Map<string, Told>();
  const notes = said.map((one): string => {
    const { told, position, at } = one;
    const decision = decisions.find((other) => other.position === position);
    if (decision !== undefined) return decision.note;
    if (told.kind === 'planned')
      return plan === null || plan.position === position ? 'applied' : planNote(plan.told, told);
    if (told.kind === 'logged') {
      if (plan?.position !== position) return 'repeat';
      status = 'logged';
      ended = one;
      return 'applied';
    }
    if (told.place !== null && plan !== null && !isSame(told.place, plan.told.place as Place))
      return 'contradiction';
    const again = (): string =>
      firsts.get(told.kind)?.details === told.details ? 'repeat' : 'disagreement';
    if (told.kind === 'started') {
      if (ended !== undefined) return 'late';
      if (status === 'running') return again();
      status = 'running';
      startedAt = at;
    } else if (told.kind === 'traffic-shifted' || told.kind === 'phase-advanced') {
      if (ended !== undefined) return 'late';
      // What waited is no newer word.
      if (moved.some((other) => other.told.kind === told.kind && other.at > at)) return 'late';
      moved.push(one);
    } else if (ends.includes(told.kind)) {
      if (ended !== undefined)
        return status === told.kind && (told.reason ?? ended.told.reason) === ended.told.reason
          ? again()
          : 'contradiction';
      status = told.kind;
      ended = one;
    }
    firsts.set(told.kind, told);
    return 'applied';
  });
  // A plan that comes after the end is when the place hears of that end.
  const endKnownAt = Math.max(ended?.position ?? 0, plannedBy);
  return { status, startedAt, endedAt: ended?.at ?? null, endKnownAt, notes };
};
