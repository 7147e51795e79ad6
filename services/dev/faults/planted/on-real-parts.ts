import type { PlantedBug, PlantedCheck } from './planted-bug.ts';

// Bugs that only real parts show: what happens between the product and Kafka, Redis, SQLite and other processes.

const suite = (project: 'unit' | 'laws' | 'integration', file: string): PlantedCheck => ({
  check: 'suite',
  project,
  file: `test/${file}`,
});
const redisContract = suite('integration', 'contract/read-model-store-redis.integration.test.ts');
const redisAlone = suite('integration', 'integration/redis-read-model-store.integration.test.ts');
const kafkaContract = suite('integration', 'contract/record-log-kafka.integration.test.ts');
const kafkaAlone = suite('integration', 'integration/kafka-record-log.integration.test.ts');
const foreignLog = suite('integration', 'integration/projector-foreign-log.integration.test.ts');
const serversKilled = suite(
  'integration',
  'integration/projector-servers-killed.integration.test.ts',
);
const cuts: PlantedCheck = { check: 'aof-cuts', cuts: 80 };
const campaign = (only: string, minutes: number): PlantedCheck => ({
  check: 'campaign',
  only,
  minutes,
});

const scripts = 'services/adapters/redis/scripts.ts';
const redisStore = 'services/adapters/redis/read-model-store.ts';
const lane = 'services/adapters/kafka/lane.ts';
const reader = 'services/adapters/kafka/position-reader.ts';
const batches = 'services/adapters/kafka/record-batches.ts';
const membership = 'services/adapters/kafka/membership.ts';
const catchUp = 'services/projector/catch-up.ts';
const loop = 'services/projector/start.ts';

const bug = (
  name: string,
  file: string,
  from: string,
  to: string,
  ...checks: readonly PlantedCheck[]
): PlantedBug => ({ name, edits: [{ file, from, to }], checks });

export const bugsOnRealParts: readonly PlantedBug[] = [
  {
    name: 'rows in one call, the checkpoint in a second one',
    edits: [
      // Only the position: what else stands in the checkpoint is of the script still.
      {
        file: scripts,
        from: `'next', toNext, 'lastDigest', toDigest,`,
        to: `'next', stored[2] or toNext, 'lastDigest', stored[3] or toDigest,`,
      },
      {
        file: redisStore,
        from: `    if (reply.value[0] === 'committed') return ok('committed');`,
        to: `    if (reply.value[0] === 'committed') {
      const { next, lastDigest } = step.to;
      await client.hset(keys.checkpoint(generation), { next, lastDigest });
      return ok('committed');
    }`,
      },
    ],
    checks: [cuts],
  },
  {
    name: 'the checkpoint in one call, the rows after it',
    edits: [
      {
        file: redisStore,
        from: `commitArguments(generation, step, ordered);`,
        to: `commitArguments(
      generation,
      // Without rows only where the rows will follow.
      step.from?.next === step.to.next ? step : { ...step, writes: [] },
      ordered,
    );`,
      },
      {
        file: redisStore,
        from: `    if (reply.value[0] === 'committed') return ok('committed');`,
        to: `    if (reply.value[0] === 'committed')
      return step.from?.next === step.to.next
        ? ok('committed')
        : commit(generation, { ...step, from: step.to });`,
      },
    ],
    checks: [cuts],
  },
  bug(
    'the next position is added up instead of set',
    scripts,
    `redis.call('HSET', KEYS[1], 'logId', logId, 'next', toNext,`,
    `redis.call('HINCRBY', KEYS[1], 'next', toNext)\nredis.call('HSET', KEYS[1], 'logId', logId,`,
    redisContract,
  ),
  bug(
    'no compare before the set: whoever comes last wins',
    scripts,
    `  if stored[2] ~= fromNext then return 'gap' end\n`,
    '',
    redisContract,
  ),
  bug(
    'the digest of the last applied record is not compared in the script',
    scripts,
    `  if stored[2] == fromNext and stored[3] ~= fromDigest then return 'foreign-log' end\n`,
    '',
    redisContract,
  ),
  bug(
    'the log id is not compared in the script',
    scripts,
    `  if stored[1] ~= logId then return 'foreign-log' end\n`,
    '',
    redisContract,
  ),
  bug(
    'the version of the fold is not compared in the script',
    scripts,
    `  if stored[4] ~= foldVersion then return 'old-code' end\n`,
    '',
    redisContract,
  ),
  bug(
    'removed rows stay',
    scripts,
    `    redis.call('HDEL', model.rows, unpack(model.gone, first, last))\n`,
    '',
    redisContract,
  ),
  bug(
    'the order of an ordered model is not kept for rows that are new',
    scripts,
    `      redis.call('ZADD', model.order, unpack(members))\n`,
    '',
    redisContract,
  ),
  bug(
    'a generation is not noted among the generations',
    scripts,
    `redis.call('SADD', KEYS[2], generation)\n`,
    '',
    cuts,
  ),
  bug(
    'readers are pointed elsewhere whatever they are pointed to',
    scripts,
    `if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end\n`,
    '',
    redisContract,
  ),
  bug(
    'a call whose answer was lost is sent again by the driver',
    'services/adapters/redis/connection.ts',
    'autoResendUnfulfilledCommands: false,\n    // 0, not 1: with 1, calls whose connection broke are told so only when a second attempt fails as well.\n    maxRetriesPerRequest: 0,',
    'autoResendUnfulfilledCommands: true,\n    maxRetriesPerRequest: 20,',
    redisAlone,
  ),
  bug(
    'two sends of the idempotent producer under way at once',
    lane,
    '      working ??= work();',
    '      working = work();',
    kafkaAlone,
    campaign('kafka-answer-lost', 1),
  ),
  bug(
    'the producer lives on after a send that failed',
    lane,
    `      abandon(using, sending);
      return fail(problemOf(topic, error, using.sends, records.length));`,
    '      return fail(problemOf(topic, error, using.sends, records.length));',
    kafkaAlone,
  ),
  bug(
    'an append without an answer is said to be stored',
    lane,
    `      return fail(problemOf(topic, error, using.sends, records.length));`,
    `      return ok(records.map((_, index) => ({ position: index, appendedAtMs: 0 })));`,
    kafkaAlone,
  ),
  bug(
    'an append that may lie on the log is said not to',
    lane,
    `  return { code: 'unknown', message };`,
    `  return { code: 'unreachable', message };`,
    kafkaAlone,
  ),
  bug(
    'after a position that is gone the reader jumps to the start',
    reader,
    `        return fail(await outOfRange(from, withinMs));`,
    `        const held = await range(withinMs);
        if (!held.ok) return held;
        return trying(withinMs, (connected) => fetchOnce(connected, held.value.start, waitMs));`,
    kafkaContract,
    kafkaAlone,
  ),
  bug(
    'a gap in the positions is passed over',
    reader,
    `        if (missing === -1) return fetched;`,
    `        if (missing >= -1) return fetched;`,
    suite('unit', 'adapters/kafka/position-reader.test.ts'),
    kafkaAlone,
  ),
  bug(
    'records of a batch from before the position are handed out again',
    batches,
    `    if (position >= from) {`,
    `    if (position >= 0) {`,
    kafkaContract,
  ),
  bug(
    'a member that slept takes the partition back as if nothing had been',
    membership,
    `      else onOver('it was silent for longer than its lease');`,
    '      else onAssigned(partitions);',
    suite('unit', 'adapters/kafka/membership.test.ts'),
  ),
  bug(
    'a member whose rejoining was given up stands by for ever',
    membership,
    `      isRejoining = false;
      onAssigned(shared);`,
    '      isRejoining = false;',
    suite('unit', 'adapters/kafka/membership.test.ts'),
  ),
  bug(
    'whoever takes over begins one record too late',
    loop,
    `    return state.next;
  };`,
    `    return state.next + 1;
  };`,
    suite('unit', 'projector/start.test.ts'),
    campaign('projector-killed', 1),
  ),
  bug(
    'the last applied record is not compared: another log is folded on',
    catchUp,
    `  return ports.tools.crypto.sha256Hex(record.value) === lastDigest`,
    `  return lastDigest !== ''`,
    foreignLog,
    campaign('redis-of-another-log', 1),
  ),
  bug(
    'a log that was shortened is tried again for ever',
    loop,
    `    case 'foreign-log':
    case 'log-shortened':
    case 'log-not-opened':`,
    `    case 'foreign-log':
    case 'log-not-opened':`,
    suite('unit', 'projector/start.test.ts'),
    foreignLog,
  ),
  bug(
    'a program takes over read models that a newer one wrote',
    catchUp,
    `  if (wrote > currentFoldVersion)`,
    `  if (wrote < 0)`,
    suite('unit', 'projector/catch-up.test.ts'),
    campaign('older-version-started', 1),
  ),
  bug(
    'nobody looks at the store while nothing comes',
    loop,
    `    else await catchUp(lossesBefore);\n`,
    '',
    suite('unit', 'projector/start.test.ts'),
    serversKilled,
  ),
  bug(
    'keys of all audiences share a name',
    'services/adapters/redis/keys.ts',
    `:\${encodeURIComponent(audience)}}`,
    `:\${encodeURIComponent(audience).slice(0, 1)}}`,
    suite('unit', 'adapters/redis/keys.test.ts'),
    redisAlone,
  ),
];
