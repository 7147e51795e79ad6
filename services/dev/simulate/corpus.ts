import type { NewRecord } from '../../core/log/record.ts';
import { makeCanary } from './canary.ts';
import { openChance } from './chance.ts';
import type { Chance } from './chance.ts';
import type { Fact, Place, Scope } from './told.ts';
import { everything, poison, spoil, waited, write } from './write.ts';
import type { Says } from './write.ts';

// Signed records made once in the life of the process; a schedule takes from them. Making one costs as much as
// folding it, and checking its signature more.

/** What one pipeline says of its deployment, in its own order, and what else comes in its name. */
export type Pipeline = {
  readonly name: string;
  readonly steps: readonly Fact[];
  /** Conflicts, forgeries, spoilt and late copies of its steps, by the name of the fault. */
  readonly troubles: readonly { readonly fault: string; readonly fact: Fact }[];
  /** What analysers say of it: each says the same, whoever is first. */
  readonly decisions: readonly Fact[];
};

export type Corpus = {
  /** Record 0 and the keys that most pipelines use. */
  readonly opening: readonly Fact[];
  readonly pipelines: readonly Pipeline[];
  /** Changes of trust that may come at any moment. */
  readonly trustChanges: readonly Fact[];
  /** A canary that analysers must roll back. */
  readonly canary: readonly Fact[];
  /** What is said of a place beside its deployments, and what operators say of it. */
  readonly beside: readonly (readonly Fact[])[];
  readonly strays: readonly { readonly fault: string; readonly fact: Fact }[];
  /** Another log of the same audience, well opened and longer than any schedule's. */
  readonly elsewhere: readonly NewRecord[];
};

const pipelinesMade = 320;
const corpusSeed = 1;
/** The other log is longer than any that a schedule grows. */
const elsewhereRecords = 24;

const places: readonly Place[] = [
  { environment: 'production', component: 'checkout' },
  { environment: 'production', component: 'cart' },
  { environment: 'staging-eu', component: 'checkout' },
  { environment: 'staging', component: 'price list/µ' },
];

const scopes: { readonly [name: string]: Scope } = {
  wide: everything,
  staging: { ...everything, environments: ['staging*'] },
  checkout: { ...everything, components: ['checkout'], kinds: ['planned', 'started', 'succeeded'] },
  analyser: { ...everything, roles: ['analyser'] },
  courier: { ...everything, roles: ['gateway'] },
  operator: { ...everything, roles: ['operator'] },
  leaver: everything,
  careless: { ...everything, roles: [...everything.roles, 'analyser'] },
};
const writers = ['wide', 'wide', 'wide', 'staging', 'checkout', 'leaver', 'careless', 'newcomer'];

const openingFacts = async (log: string): Promise<readonly Fact[]> => {
  const admin = { by: 'admin', log };
  const administers = { ...everything, roles: ['trust-admin'] };
  return Promise.all([
    write({
      ...admin,
      kind: 'log-opened',
      marker: `${log} opened`,
      key: 'admin',
      scope: administers,
    }),
    ...Object.entries(scopes).map(([key, scope]) =>
      write({ ...admin, kind: 'key-added', marker: `${log} adds ${key}`, key, scope }),
    ),
  ]);
};

const trustChanges = (): Promise<readonly Fact[]> => {
  const admin = { by: 'admin', log: 'simulated' };
  const newcomer = { ...admin, key: 'newcomer', scope: everything };
  return Promise.all([
    write({ ...newcomer, kind: 'key-added', marker: 'adds newcomer' }),
    write({ ...newcomer, kind: 'key-added', marker: 'adds newcomer again' }),
    write({ ...admin, kind: 'key-retired', marker: 'retires leaver', key: 'leaver' }),
    write({ ...admin, kind: 'key-retired', marker: 'retires nobody', key: 'nobody' }),
    write({ ...admin, kind: 'key-compromised', marker: 'finds', key: 'careless', since: 14 }),
    write({ ...admin, kind: 'key-compromised', marker: 'finds more', key: 'careless', since: 9 }),
    write({ ...admin, kind: 'key-added', marker: 'of another log', key: 'nobody', log: 'other' }),
    write({ ...newcomer, by: 'wide', kind: 'key-added', marker: 'adds by itself' }),
    write({ ...admin, kind: 'key-retired', marker: 'finds', key: 'leaver' }),
  ]);
};

const strays = async (): Promise<Corpus['strays']> => {
  const checkout = places[0] as Place;
  const says: Says = {
    by: 'wide',
    kind: 'logged',
    marker: 'stray',
    place: checkout,
    version: '6.6.6',
  };
  const stray = await write(says);
  return [
    ...['one', 'two', 'three'].map((name) => ({ fault: 'poison', fact: poison(name) })),
    { fault: 'oversized', fact: spoil.size(stray) },
    { fault: 'unknown-key', fact: await write({ ...says, by: 'stranger', marker: 'stranger' }) },
    {
      fault: 'foreign-audience',
      fact: withSpoilt(await write({ ...says, marker: 'abroad' }, 'elsewhere'), 'signature-bad'),
    },
  ];
};

const withSpoilt = (fact: Fact, spoilt: string): Fact => ({
  ...fact,
  told: { ...fact.told, spoilt },
});

const pipelineOf = async (index: number, chance: Chance): Promise<Pipeline> => {
  const place = chance.oneOf(places);
  const by = chance.oneOf(writers);
  const name = `pipeline ${index}`;
  const version = `${1 + Math.floor(index / 7)}.${index % 7}`;
  if (chance.happens(0.15)) return loggedPipeline(name, by, place, version, chance);
  const token = chance.happens(0.4) ? { token: `run ${index}` } : {};
  let markers = 0;
  const say = (kind: Says['kind'], more: Partial<Says> = {}): Promise<Fact> =>
    write({
      by: chance.happens(0.08) ? chance.oneOf(writers) : by,
      kind,
      marker: `${name} ${(markers += 1)}`,
      deployment: name,
      ...token,
      ...more,
    });
  const isCanary = chance.happens(0.5);
  const share = isCanary ? { canaryShare: 0.1 } : {};
  const end = chance.oneOf(['succeeded', 'succeeded', 'succeeded', 'failed', 'canceled'] as const);
  const plan = await say('planned', { place, version, ...share });
  const steps = [
    plan,
    await say('started', chance.happens(0.1) ? { place } : {}),
    ...(isCanary ? [await say('traffic-shifted', { canaryShare: 0.25 })] : []),
    ...(chance.happens(0.3)
      ? [await say('phase-advanced'), await say('phase-advanced', { version: 'smoke' })]
      : []),
    await say(end, chance.happens(0.3) ? { reason: 'because of µ' } : {}),
    ...(chance.happens(0.25) ? [await say('failed')] : []),
    ...(chance.happens(0.2) ? [await say('started', { details: 'said otherwise' })] : []),
    ...(chance.happens(0.2) ? [await say('started', { place: chance.oneOf(places) })] : []),
    ...(chance.happens(0.15) ? [await say('planned', { place, version, ...share })] : []),
    ...(chance.happens(0.25)
      ? [
          await say('planned', { place, version, token: `${name} again`, ...share }),
          await say('started', { token: `${name} again` }),
          await say('succeeded', { token: `${name} again` }),
        ]
      : []),
    ...(chance.happens(0.15) ? [await say('canceled', { token: `${name} third` })] : []),
  ];
  const decided = (
    kind: Says['kind'],
    marker: string,
    evidence: string,
    decidedBy = 'analyser',
  ): Promise<Fact> =>
    write({
      by: decidedBy,
      kind,
      marker: `${name} ${marker}`,
      deployment: name,
      place,
      version,
      ...token,
      analysis: `${name} analysis`,
      evidence,
    });
  const decisions = isCanary
    ? [
        await decided('hold', 'holds', 'early'),
        await decided('promote', 'promotes', 'good'),
        await decided('promote', 'promotes again', 'good'),
        // Until somebody finds that key compromised.
        ...(index % 3 === 0 ? [await decided('roll-back', 'robs', 'forged', 'careless')] : []),
        await decided('roll-back', 'rolls back', 'bad'),
        await decided('roll-back', 'rolls back again', 'bad'),
        await decided('promote', 'promotes too late', 'late'),
      ]
    : [];
  return {
    name,
    steps: chance.happens(0.1) ? steps.toReversed() : steps,
    decisions,
    troubles: await troublesOf(name, steps, chance),
  };
};

const loggedPipeline = async (
  name: string,
  by: string,
  place: Place,
  version: string,
  chance: Chance,
): Promise<Pipeline> => {
  const say = (marker: string): Promise<Fact> =>
    write({ by, kind: 'logged', marker: `${name} ${marker}`, place, version });
  const steps = [await say('logged'), await say('logged again')];
  return { name, steps, decisions: [], troubles: await troublesOf(name, steps, chance) };
};

/** Each fault once, made of one of the steps. */
const troublesOf = async (
  name: string,
  steps: readonly Fact[],
  chance: Chance,
): Promise<Pipeline['troubles']> => {
  const step = (): Fact => chance.oneOf(steps);
  const conflicting = async (): Promise<Fact> => {
    const { told, what } = step();
    return write({
      by: told.by,
      kind: told.kind as Says['kind'],
      marker: what.slice(what.indexOf('(') + 1, -1),
      deployment: name,
      ...(told.place === null ? {} : { place: told.place }),
      ...(told.token === null ? {} : { token: told.token }),
      ...(told.version === null ? {} : { version: told.version }),
      details: chance.oneOf(['another', 'yet another']),
    });
  };
  return [
    { fault: 'id-conflict', fact: await conflicting() },
    { fault: 'id-conflict', fact: await conflicting() },
    { fault: 'forged-signature', fact: spoil.signature(step()) },
    { fault: 'swapped-schema', fact: spoil.schema(step()) },
    { fault: 'header-differs', fact: spoil.header(step()) },
    { fault: 'record-key-differs', fact: spoil.recordKey(step()) },
    { fault: 'header-missing', fact: spoil.signatureHeader(step()) },
    { fault: 'late', fact: await waited(step(), 1000 + chance.below(600_000), 'courier') },
    { fault: 'late', fact: await waited(step(), 1000 + chance.below(20_000), 'courier') },
    { fault: 'waited-forged', fact: await waited(step(), 5000, 'courier', false) },
    { fault: 'waited-by-analyser', fact: await waited(step(), 5000, 'analyser') },
  ];
};

const besideMade = 120;

/**
 * Beginnings and ends of two names in one place, in any order, and labels, changes and freezes between them; of some a
 * copy that has waited comes in their place, so that they come later than they count.
 */
const besideOf = async (index: number, chance: Chance): Promise<readonly Fact[]> => {
  const place = chance.oneOf(places);
  const what = chance.oneOf(['incident', 'migration'] as const);
  const facts: Fact[] = [];
  for (let said = 0; said < 4 + chance.below(4); said++) {
    const marker = `beside ${index} ${said}`;
    const by = chance.oneOf(writers);
    const fact = await write(
      chance.happens(0.7)
        ? {
            ...{ by, marker, place },
            kind: chance.oneOf(goingOn[what]),
            version: chance.oneOf(['INC-1', 'INC-2']),
          }
        : { marker, ...besideSaid(by, place, chance) },
    );
    const isLate = chance.happens(0.35) && fact.told.place !== null;
    facts.push(isLate ? await waited(fact, 1000 + chance.below(20_000), 'courier') : fact);
  }
  return facts;
};

const goingOn = {
  incident: ['incident-opened', 'incident-resolved'],
  migration: ['migration-started', 'migration-finished'],
} as const satisfies { readonly [what: string]: readonly Says['kind'][] };

const besideSaid = (by: string, place: Place, chance: Chance): Omit<Says, 'marker'> => {
  const kind = chance.oneOf([
    ...(['label', 'label', 'flag-changed', 'config-changed', 'secret-changed'] as const),
    ...(['freeze', 'freeze-lifted'] as const),
  ]);
  switch (kind) {
    case 'freeze':
      return { by: chance.oneOf(['operator', by]), kind, place, reason: 'the holidays' };
    case 'freeze-lifted':
      return { by: chance.oneOf(['operator', by]), kind, since: 8 + chance.below(30) };
    case 'label':
    case 'flag-changed':
    case 'config-changed':
    case 'secret-changed':
      return { by, kind, place, version: chance.oneOf(['1', '2']) };
  }
};

/** Makes the corpus: the same bytes in every process. */
export const makeCorpus = async (): Promise<Corpus> => {
  const chance = openChance(corpusSeed, 0);
  const pipelines: Pipeline[] = [];
  for (let index = 0; index < pipelinesMade; index++)
    pipelines.push(await pipelineOf(index, chance));
  // After the pipelines, whose draws stay what they were.
  const beside: (readonly Fact[])[] = [];
  for (let index = 0; index < besideMade; index++) beside.push(await besideOf(index, chance));
  const other = await openingFacts('other');
  const logged = await Promise.all(
    Array.from({ length: elsewhereRecords }, (_, index) =>
      write({
        by: 'wide',
        kind: 'logged',
        marker: `elsewhere ${index}`,
        place: places[0] as Place,
        version: `9.${index}`,
      }),
    ),
  );
  return {
    opening: await openingFacts('simulated'),
    pipelines,
    trustChanges: await trustChanges(),
    canary: await makeCanary(),
    strays: await strays(),
    beside,
    elsewhere: [...other, ...logged].map(({ record }) => record),
  };
};
