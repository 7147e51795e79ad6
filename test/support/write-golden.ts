import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forged } from './forge.ts';
import type { Step } from './given.ts';
import {
  again,
  by,
  findsCompromised,
  fold,
  keyOf,
  raw,
  recordsOf,
  retires,
  signed,
  trusts,
} from './given.ts';
import { onBehalfSource } from '../../services/core/trust/on-behalf.ts';
import { asGolden, goldenFolder } from './golden-logs.ts';
import type { Said } from './markers.ts';
import {
  added,
  audience,
  decided,
  failed,
  id,
  logged,
  noDetails,
  operated,
  opened,
  place,
  planned,
  policySet,
  retired,
  run,
  shifted,
  started,
  succeeded,
  trustedKey,
} from './markers.ts';
import {
  flipped,
  headerText,
  withHeader,
  withHeaderTwice,
  withKey,
  withoutHeader,
  withValue,
} from './spoil.ts';

// Writes golden logs that are not there yet; what is there is never written again.
// Run it with: node test/support/write-golden.ts

type Story = readonly [name: string, about: string, ...steps: readonly Step[]];

const token = (attempt: string) => ({ attempt });
const details = {
  ...noDetails,
  commit: '0123456789abcdef0123456789abcdef01234567',
  repository: 'https://git.example/acme/checkout',
  trigger: 'push',
  actor: 'ann',
  labels: [
    { name: '__proto__', value: 'a name like any other' },
    { name: 'team', value: 'payments' },
  ],
  links: [{ name: 'run', value: 'https://ci.example/runs/7' }],
};
const stage = trusts('stage', { environments: ['staging'] });
const analyser = trusts('analyser', { roles: ['analyser'] });

const operator = trusts('ops', { roles: ['operator'] });

const yearSeconds = 366 * 86_400;

const gateway = trusts('gateway', { roles: ['gateway'] });
const withToken = (says: Said, source = onBehalfSource('shop')): Step =>
  by('gateway', { ...says, source });

const valid: readonly Story[] = [
  [
    'log_said_with_token',
    'A gateway signs for callers with a token, beside what keys say of the same place.',
    gateway,
    by('ci', logged('1.0.0')),
    withToken(planned('2.0.0')),
    withToken(started()),
    withToken(succeeded(), onBehalfSource('till')),
    by('ci', logged('1.0.0')),
  ],
  [
    'log_letters_redriven_and_discarded',
    'A record that its key makes good later, sent again behind the operation that names it; another is let rest.',
    operator,
    raw({ key: new Uint8Array(), headers: [], value: Uint8Array.of(1) }),
    raw(await signed('late', planned('2.0.0'), 'early')),
    trusts('late'),
    by('ops', operated('letters-redriven', { positions: [2, 3] })),
    again(2),
    again(3),
    by('ops', operated('letters-discarded', { positions: [2] })),
  ],
  [
    'log_deployments_forgotten',
    'What failed a year ago is forgotten, what runs is not; then somebody speaks of it again.',
    operator,
    by('ci', planned('1.0.0')),
    by('ci', failed()),
    by('ci', logged('1.1.0', { slot: place('staging') }), { marker: 'runs' }),
    by('ops', operated('deployments-forgotten', { deployments: [run('7'), id('runs')] }), {
      at: yearSeconds,
    }),
    again(3),
    by('ci', planned('2.0.0')),
  ],
  [
    'log_operations',
    'What an operator did with the log and its read models; no deployment is moved.',
    operator,
    by('ci', logged('1.0.0')),
    by('ops', operated('retention-set', { environment: 'pr-*', days: 14 })),
    by(
      'ops',
      operated('generation-built', {
        generation: 'g2',
        from: 0,
        to: 4,
        digest: 'c'.repeat(64),
        counts: [{ name: 'rows', value: 9 }],
        note: 'beside g1',
      }),
    ),
    by('ops', operated('generation-switched', { generation: 'g2', to: 4 })),
    by('ops', operated('generation-dropped', { generation: 'g1' })),
    by('ops', operated('log-archived', { from: 0, to: 6, digest: 'd'.repeat(64) })),
    again(4),
  ],
  [
    'log_policies_set',
    'Two documents of policies, the first sent twice; what a pipeline says, or whose digest is another, sets none.',
    operator,
    by('ops', policySet()),
    again(2),
    by('ci', policySet()),
    by(
      'ops',
      policySet('{"policies":[{"component":"é","environment":"*","preset":"strict"}],"version":2}'),
    ),
    by('ops', policySet(undefined, { digest: 'a'.repeat(64) })),
  ],
  [
    'log_plan_start_success',
    'A deployment from plan to success, with details.',
    by('ci', planned('2.0.0', { details, digest: `sha256:${'ab'.repeat(32)}`, ...token('1') })),
    by('ci', started({ ...token('1'), statusReported: 'IN_PROGRESS' })),
    by('ci', succeeded({ ...token('1'), statusReported: 'SUCCESS' })),
  ],
  [
    'log_rerun_and_rollback',
    'A failure, its rerun, and a rollback by hand.',
    by('ci', logged('1.0.0')),
    by('ci', planned('2.0.0', token('1'))),
    by('ci', failed({ ...token('1'), reason: 'timeout\nafter 300 s' })),
    by('ci', planned('2.0.0', token('2'))),
    by('ci', succeeded(token('2'))),
    by('ci', logged('1.0.0')),
  ],
  [
    'log_waited_success_is_history',
    'A success that waited on a spool until after the next one.',
    by('ci', planned('1.0.0')),
    by('ci', planned('2.0.0', { deployment: run('8') })),
    by('ci', succeeded({ deployment: run('8') })),
    by('ci', succeeded(), { waitedMs: 60_000 }),
  ],
  [
    'log_canary_decision',
    'A canary, its traffic, a roll-back and its end.',
    analyser,
    by('ci', logged('1.9.0')),
    by('ci', planned('2.0.0', { canaryShare: 0.1, strategy: 'canary' })),
    by('ci', started()),
    by('ci', shifted({ canaryShare: 0.25, colour: 'green' })),
    by('analyser', decided('roll-back')),
    by('ci', failed({ reason: 'rolled back' })),
  ],
  [
    'log_keys_come_and_go',
    'Keys are added, retired and found compromised; what they signed before stays.',
    by('leaver', planned('1.0.0')),
    retires('leaver'),
    by('careless', started()),
    findsCompromised('careless', 0),
    by('ci', succeeded()),
  ],
  [
    'log_unplanned_then_planned',
    'Updates before their plan, one of them by a key that may not act there.',
    stage,
    by('ci', started()),
    by('stage', failed()),
    by('ci', planned('2.0.0')),
  ],
  [
    'log_duplicates',
    'The same bytes again.',
    by('ci', planned('2.0.0')),
    again(2),
    by('ci', started()),
    again(2),
    again(0),
  ],
  [
    'log_names_beyond_ascii',
    'Names of prototypes, of other scripts and with slashes.',
    by(
      'ci',
      logged('1.0.0-ß', {
        slot: { namespace: '__proto__', environment: 'prod/eu', component: '結帳', target: '😀 %' },
      }),
    ),
  ],
];

const spoilt = (spoil: Extract<Step, { by: string }>['spoilt']): Step =>
  by('ci', planned(), spoil === undefined ? {} : { spoilt: spoil });
const otherDigest = (shape: 'update' | 'place') => forged.digestOf(shape);

const trusted = trusts('ci');

const invalid = async (): Promise<readonly Story[]> => [
  [
    'log_token_unnamed',
    'A gateway does not say for whom it speaks.',
    gateway,
    by('gateway', planned()),
  ],
  [
    'log_token_on_plan_of_key',
    'A caller with a token ends what somebody with a key has planned.',
    gateway,
    by('ci', planned()),
    withToken(failed()),
  ],
  [
    'log_token_decides',
    'A gateway decides for somebody.',
    gateway,
    by('ci', planned()),
    withToken(decided('roll-back')),
  ],
  [
    'log_bit_flipped_in_value',
    'One bit of the value was changed.',
    spoilt(withValue((bytes) => flipped(bytes, 700))),
  ],
  [
    'log_bit_flipped_in_signature',
    'One bit of the signature was changed.',
    spoilt((record) =>
      withHeader(
        'plimsoll-signature',
        headerText(record, 'plimsoll-signature').replace(
          /:(.)/,
          (_all, first: string) => `:${first === 'A' ? 'B' : 'A'}`,
        ),
      )(record),
    ),
  ],
  [
    'log_schema_swapped',
    'The header names another schema than the signature binds.',
    spoilt(withHeader('plimsoll-schema', otherDigest('place'))),
  ],
  [
    'log_schema_unknown',
    'Well signed, under a schema that this version does not know.',
    trusted,
    await forged.under('f'.repeat(64)),
  ],
  [
    'log_schema_does_not_fit',
    'Well signed under the schema of another shape.',
    trusted,
    await forged.under(otherDigest('update')),
  ],
  ['log_trailing_byte', 'Well signed, with a byte after the body.', trusted, await forged.longer()],
  [
    'log_kind_unknown',
    'Well signed, of a kind that is in no register.',
    trusted,
    await forged.body('update', started(), { kind: 'exploded' }),
  ],
  [
    'log_kind_of_another_shape',
    'Well signed, a plan in the shape of an update.',
    trusted,
    await forged.body('update', started(), { kind: 'planned' }),
  ],
  [
    'log_audience_in_body',
    'Signed for this log, but its body was written for another.',
    trusted,
    await forged.body('plan', planned(), { audience: 'elsewhere' }),
  ],
  [
    'log_audience_of_signature',
    'Signed for another log.',
    trusted,
    await forged.forAudience('elsewhere'),
  ],
  ['log_key_unknown', 'Signed by a key that this log never named.', await forged.by('stranger')],
  [
    'log_key_retired',
    'Signed by a key that was retired before.',
    trusts('ci'),
    retires('ci'),
    by('ci', planned()),
  ],
  [
    'log_key_compromised',
    'Signed by a key that was found compromised before.',
    trusts('ci'),
    findsCompromised('ci', 0),
    by('ci', planned()),
  ],
  [
    'log_key_weak',
    'A key of low order is to be trusted.',
    trusted,
    await forged.body(
      'trust',
      added(keyOf('weak')),
      { key: { ...trustedKey(keyOf('weak'), {}), publicKey: new Uint8Array(32) } },
      'admin',
    ),
  ],
  [
    'log_key_id_wrong',
    'A key is to be trusted under an id that is not its own.',
    by('admin', added({ ...keyOf('new'), keyId: '0123456789abcdef' })),
  ],
  [
    'log_key_added_twice',
    'A key that is known already.',
    trusts('ci'),
    by('admin', added(keyOf('ci'))),
  ],
  [
    'log_key_retired_twice',
    'A key that is retired already.',
    trusts('ci'),
    retires('ci'),
    by('admin', retired(keyOf('ci'))),
  ],
  ['log_opened_again', 'A second opening.', by('admin', opened(keyOf('admin')))],
  [
    'log_trust_of_another_log',
    'A trust record that names another log id.',
    trusts('ci'),
    by('admin', retired(keyOf('ci'), { log: '0190a000-0000-7000-8000-00000000000f' })),
  ],
  [
    'log_trust_by_emitter',
    'An emitter adds a key.',
    by('ci', added(keyOf('thief'), { roles: ['trust-admin'] })),
  ],
  ['log_decision_by_emitter', 'An emitter decides.', by('ci', decided('roll-back'))],
  [
    'log_operation_by_emitter',
    'An emitter says how long things are kept.',
    by('ci', operated('retention-set', { environment: 'production', days: 1 })),
  ],
  [
    'log_operation_without_its_field',
    'Letters are redriven, and none is named.',
    trusted,
    await forged.body('operation', operated('letters-redriven', { positions: [1] }), {
      positions: [],
    }),
  ],
  [
    'log_operation_with_anothers_field',
    'A generation is dropped, and days are named.',
    trusted,
    await forged.body('operation', operated('generation-dropped', { generation: 'g1' }), {
      days: 3,
    }),
  ],
  ['log_plan_by_analyser', 'An analyser plans.', analyser, by('analyser', planned())],
  [
    'log_kind_not_allowed',
    'A key that may only plan says success.',
    trusts('ci', { kinds: ['planned'] }),
    by('ci', succeeded()),
  ],
  ['log_out_of_scope', 'A key for staging plans production.', stage, by('stage', planned())],
  [
    'log_update_out_of_scope',
    'A key for staging ends a production deployment without naming a place.',
    stage,
    trusts('ci'),
    by('ci', planned()),
    by('stage', succeeded()),
  ],
  [
    'log_conflict',
    'The same marker id with other content.',
    by('ci', planned('2.0.0'), { marker: 'one' }),
    by('ci', planned('3.0.0'), { marker: 'one' }),
  ],
  [
    'log_decision_without_deployment',
    'A decision about a deployment that nobody planned.',
    analyser,
    by('analyser', decided('hold')),
  ],
  ['log_header_missing', 'No signature.', spoilt(withoutHeader('plimsoll-signature'))],
  ['log_header_twice', 'A header stands twice.', spoilt(withHeaderTwice('ce_id'))],
  [
    'log_header_id_differs',
    'The id in the header is not that of the body.',
    spoilt(withHeader('ce_id', '0190a000-0000-7000-8000-00000000000f')),
  ],
  [
    'log_header_type_differs',
    'The type in the header is not that of the body.',
    spoilt(withHeader('ce_type', 'plimsoll.started.v1')),
  ],
  [
    'log_header_source_differs',
    'The source in the header is not that of the body.',
    spoilt(withHeader('ce_source', '/elsewhere')),
  ],
  [
    'log_header_not_utf8',
    'A header is not UTF-8.',
    spoilt(withHeader('x-note', new Uint8Array([0xff, 0xfe]))),
  ],
  [
    'log_header_too_large',
    'A header of more than 1 KiB.',
    spoilt(withHeader('x-note', 'x'.repeat(1100))),
  ],
  [
    'log_record_key_differs',
    'The record key is not what the body is about.',
    spoilt(withKey('default/production/checkout/')),
  ],
  [
    'log_waited_forged',
    'A waiting time that nobody signed.',
    spoilt(withHeader('plimsoll-waited', `1000:${keyOf('ci').keyId}:${'A'.repeat(85)}Q==`)),
  ],
  [
    'log_waited_by_analyser',
    'A waiting time signed by a key that delivers nothing.',
    analyser,
    by('ci', planned(), { waitedMs: 1000, deliveredBy: 'analyser' }),
  ],
  [
    'log_empty_record',
    'Nothing at all.',
    { raw: { key: new Uint8Array(), headers: [], value: new Uint8Array() } },
  ],
];

const write = async (side: 'valid' | 'invalid', [name, about, ...steps]: Story): Promise<void> => {
  const file = join(goldenFolder, side, `${name}.json`);
  if (existsSync(file)) return;
  const records = await recordsOf(...steps);
  const house = await fold(records);
  const golden = {
    about,
    layer: 'log',
    audience,
    records: asGolden(records),
    expect: {
      notes: house.notes(),
      ...(side === 'invalid' ? {} : await house.lines()),
    },
  };
  writeFileSync(file, `${JSON.stringify(golden, null, 2)}\n`, { flag: 'wx' });
};

for (const story of valid) await write('valid', story);
for (const story of await invalid()) await write('invalid', story);
