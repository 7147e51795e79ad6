import type { Redis } from 'ioredis';
import { unpackedLua } from './packed.ts';
import { smallRowsLua } from './small-rows.ts';

/** logId, next, lastDigest, foldVersion, rowsDigest; all null where nothing was committed yet. */
export type CheckpointFields = readonly (string | null)[];

export type CommitReply =
  | readonly ['committed']
  | readonly ['refused', 'foreign-log' | 'old-code' | 'gap' | 'row-there', ...CheckpointFields]
  | Damage;

/** What a script found instead of what this adapter writes. It wrote nothing. */
export type Damage =
  | readonly ['wrong-type', key: string, found: string, wanted: string]
  | readonly ['half-checkpoint', key: string]
  | readonly ['no-checkpoint', key: string]
  | readonly ['disorder', key: string, rows: number, ordered: number];

export type ScanReply =
  | readonly [
      'scanned',
      CheckpointFields,
      keys: readonly string[],
      values: readonly (string | null)[],
    ]
  | Damage;

/** One script is one call and one step: other clients see all of it or nothing. */
export type Scripts = {
  readonly commit: Call<CommitReply>;
  /** The checkpoint, then which of those that were asked for are there, from 0 on, and what they hold. */
  readonly rows: Call<
    readonly [CheckpointFields, found: readonly number[], values: readonly string[]]
  >;
  readonly scan: Call<ScanReply>;
  readonly overview: Call<readonly [CheckpointFields, models: readonly string[]]>;
  readonly switchTo: Call<0 | 1>;
  readonly drop: Call<'dropped' | 'current' | 'models-changed'>;
  readonly smallPage: Call<
    | readonly [rows: readonly string[]]
    | readonly [rows: readonly string[], number: number, bucket: number]
  >;
  readonly smallCount: Call<number>;
  readonly asideWrite: Call<readonly ['written'] | Damage>;
  readonly asideScan: Call<
    readonly ['scanned', keys: readonly string[], values: readonly (string | null)[]] | Damage
  >;
};

type Call<Reply> = (keys: readonly string[], args: readonly (string | Buffer)[]) => Promise<Reply>;

// Lua's `unpack` fails near 8,000 values. Even, because HSET takes pairs.
const unpackMax = 4_000;

// `#!lua` makes Redis check memory, replicas and disk before the script starts, so that it cannot be stopped
// after its first write; `no-writes` lets reads through where writes are refused.

/** Of a checkpoint's hash. */
export const checkpointFields = [
  'logId',
  'next',
  'lastDigest',
  'foldVersion',
  'rowsDigest',
] as const;

const readCheckpoint = `
local function readCheckpoint(key)
  return redis.call('HMGET', key, ${checkpointFields.map((name) => `'${name}'`).join(', ')})
end
`;

/**
 * KEYS: checkpoint, generations, models; then for each model its rows and its order, or the index of its small rows
 * (the rows again where it has neither).
 * ARGV: generation; logId and foldVersion of the step; the next position and digest it started from (two empty
 * strings for the first of a generation); the next position and digest it leads to, and its rows' digest; then for each model its
 * name, `ordered`, `small` or `unordered`, key and value of the rows set, packed, keys of those removed, packed, and how
 * many owners have small rows; then of each of those its name, what is set and what is removed, packed. Behind each pack
 * stands how many of its items, the first ones, are of rows that the step takes for new.
 *
 * Lua does not roll back. So everything that could fail is checked before the first write, all writes are
 * set-like, and the checkpoint comes last.
 */
const commit = `#!lua
${readCheckpoint}${unpackedLua}${smallRowsLua}
local generation, logId, foldVersion = ARGV[1], ARGV[2], ARGV[3]
local fromNext, fromDigest, toNext, toDigest, rowsDigest = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]

local function typeOf(key) return redis.call('TYPE', key).ok end
local function wrongType(key, wanted)
  local found = typeOf(key)
  if found ~= wanted and found ~= 'none' then return {'wrong-type', key, found, wanted} end
end

local damage = wrongType(KEYS[1], 'hash') or wrongType(KEYS[2], 'set') or wrongType(KEYS[3], 'set')
if damage then return damage end

local stored = readCheckpoint(KEYS[1])
local isFirst = redis.call('EXISTS', KEYS[1]) == 0
if not isFirst and not (stored[1] and stored[2] and stored[3] and stored[4]) then
  return {'half-checkpoint', KEYS[1]}
end

local function refusal()
  if isFirst then return fromNext ~= '' and 'gap' end
  if stored[1] ~= logId then return 'foreign-log' end
  if stored[2] == fromNext and stored[3] ~= fromDigest then return 'foreign-log' end
  if stored[4] ~= foldVersion then return 'old-code' end
  if stored[2] ~= fromNext then return 'gap' end
end
local function refuse(why) return {'refused', why, stored[1], stored[2], stored[3], stored[4], stored[5]} end
local refused = refusal()
if refused then return refuse(refused) end

local models = {}
local header = 9
for k = 4, #KEYS, 2 do
  local layout, owners = ARGV[header + 1], tonumber(ARGV[header + 6])
  models[#models + 1] = {
    rows = KEYS[k], order = KEYS[k + 1], name = ARGV[header], ordered = layout == 'ordered', small = layout == 'small',
    set = unpacked(ARGV[header + 2]), added = tonumber(ARGV[header + 3]),
    gone = unpacked(ARGV[header + 4]), absent = tonumber(ARGV[header + 5]),
    firstOwner = header + 7, lastOwner = header + 6 + 5 * owners, plans = {},
  }
  header = header + 7 + 5 * owners
end
assert(header == #ARGV + 1, 'the counts do not fit the arguments')

if isFirst and typeOf(KEYS[3]) ~= 'none' then return {'no-checkpoint', KEYS[3]} end
for _, model in ipairs(models) do
  damage = wrongType(model.rows, 'hash') or (model.ordered and wrongType(model.order, 'zset'))
  if damage then return damage end
  if isFirst and typeOf(model.rows) ~= 'none' then return {'no-checkpoint', model.rows} end
  if model.small then
    damage = wrongType(model.order, 'hash')
    if damage then return damage end
    if isFirst and typeOf(model.order) ~= 'none' then return {'no-checkpoint', model.order} end
    local newNumber = redis.call('HLEN', model.order) / 2
    for at = model.firstOwner, model.lastOwner, 5 do
      local plan = planSmall(model.order, ARGV[at], unpacked(ARGV[at + 1]), tonumber(ARGV[at + 2]),
        unpacked(ARGV[at + 3]), tonumber(ARGV[at + 4]), newNumber)
      if plan.isNew then newNumber = newNumber + 1 end
      for _, key in ipairs(keysTouched(plan)) do
        -- Cheaper than to ask for the type; what is no hash has no such length.
        damage = type(redis.pcall('HLEN', key)) ~= 'number' and wrongType(key, 'hash')
        if damage then return damage end
      end
      model.plans[#model.plans + 1] = plan
    end
  end
  if model.ordered then
    local rows, ordered = redis.call('HLEN', model.rows), redis.call('ZCARD', model.order)
    if rows ~= ordered then return {'disorder', model.order, rows, ordered} end
  end
end

for _, model in ipairs(models) do
  local isThere = anyThere(model.rows, model.set, model.added, 2) or anyThere(model.rows, model.gone, model.absent, 1)
  for _, plan in ipairs(model.plans) do isThere = isThere or isSmallThere(plan) end
  if isThere then return refuse('row-there') end
end

redis.call('SADD', KEYS[2], generation)
for _, model in ipairs(models) do
  redis.call('SADD', KEYS[3], model.name)
  for first = 1, #model.set, ${unpackMax} do
    local last = math.min(first + ${unpackMax} - 1, #model.set)
    local added = redis.call('HSET', model.rows, unpack(model.set, first, last))
    if model.ordered and added > 0 then
      local members = {}
      for i = first, last, 2 do
        members[#members + 1] = '0'
        members[#members + 1] = model.set[i]
      end
      redis.call('ZADD', model.order, unpack(members))
    end
  end
  for first = 1, #model.gone, ${unpackMax} do
    local last = math.min(first + ${unpackMax} - 1, #model.gone)
    redis.call('HDEL', model.rows, unpack(model.gone, first, last))
    if model.ordered then redis.call('ZREM', model.order, unpack(model.gone, first, last)) end
  end
  for _, plan in ipairs(model.plans) do writeSmall(plan) end
end
redis.call('HSET', KEYS[1], 'logId', logId, 'next', toNext, 'lastDigest', toDigest, 'foldVersion', foldVersion,
  'rowsDigest', rowsDigest)
return {'committed'}
`;

/**
 * KEYS: checkpoint, then the rows of each model, then the indexes of small rows. ARGV: how many models; of each the keys of
 * rows, packed; then for each index its owner, and hash and key of what is asked of it, packed.
 */
const rows = `#!lua flags=no-writes
${readCheckpoint}${unpackedLua}${smallRowsLua}
local asked, found, values = 0, {}, {}
local function note(place, value)
  found[#found + 1] = place
  values[#values + 1] = value
end
local models = tonumber(ARGV[1])
for k = 2, 1 + models do
  local keys = unpacked(ARGV[k])
  for first = 1, #keys, ${unpackMax} do
    local piece = redis.call('HMGET', KEYS[k], unpack(keys, first, math.min(first + ${unpackMax} - 1, #keys)))
    for i = 1, #piece do
      if piece[i] then note(asked + first + i - 2, piece[i]) end
    end
  end
  asked = asked + #keys
end
for k = 2 + models, #KEYS do
  local at = 2 * k - models - 2
  local number, count = ownerIn(KEYS[k], ARGV[at])
  local wanted = unpacked(ARGV[at + 1])
  if number then
    local buckets = bucketsFor(count)
    local size, prefix = sizeFor(buckets), KEYS[k] .. ':' .. number .. ':'
    for i = 1, #wanted, 2 do
      local value = call('HGET', prefix .. bucketOf(wanted[i], buckets, size), wanted[i + 1])
      if value then note(asked + (i - 1) / 2, textOf(value)) end
    end
  end
  asked = asked + #wanted / 2
end
return {readCheckpoint(KEYS[1]), found, values}
`;

/** KEYS: checkpoint, rows, order. ARGV: the two ends as ZRANGE BYLEX takes them, `REV` or empty, rowsMax. */
const scan = `#!lua flags=no-writes
${readCheckpoint}
local rows, ordered = redis.call('HLEN', KEYS[2]), redis.call('ZCARD', KEYS[3])
if rows ~= ordered then return {'disorder', KEYS[3], rows, ordered} end
local keys
if ARGV[3] == 'REV' then
  keys = redis.call('ZRANGE', KEYS[3], ARGV[1], ARGV[2], 'BYLEX', 'REV', 'LIMIT', 0, ARGV[4])
else
  keys = redis.call('ZRANGE', KEYS[3], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[4])
end
local values = {}
for first = 1, #keys, ${unpackMax} do
  local piece = redis.call('HMGET', KEYS[2], unpack(keys, first, math.min(first + ${unpackMax} - 1, #keys)))
  for i = 1, #piece do values[#values + 1] = piece[i] end
end
return {'scanned', readCheckpoint(KEYS[1]), keys, values}
`;

/** KEYS: checkpoint, models. */
const overview = `#!lua flags=no-writes
${readCheckpoint}
return {readCheckpoint(KEYS[1]), redis.call('SMEMBERS', KEYS[2])}
`;

/** KEYS: current. ARGV: the generation readers must be pointed to (empty: to none), the one to point them to. */
const switchTo = `#!lua
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`;

/** KEYS: current, generations, models; then all others of the generation. ARGV: generation, its models. */
const drop = `#!lua
${smallRowsLua}
if redis.call('GET', KEYS[1]) == ARGV[1] then return 'current' end
local known = {}
for i = 2, #ARGV do known[ARGV[i]] = true end
for _, model in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  if not known[model] then return 'models-changed' end
end
redis.call('SREM', KEYS[2], ARGV[1])
for i = 3, #KEYS do
  if redis.call('TYPE', KEYS[i]).ok == 'hash' and string.find(KEYS[i], ':small:', 1, true) then
    local index = redis.call('HGETALL', KEYS[i])
    for at = 1, #index, 2 do
      if string.sub(index[at], 1, 1) == '#' then
        for bucket = 0, bucketsFor(tonumber(index[at + 1])) - 1 do
          redis.call('UNLINK', KEYS[i] .. ':' .. string.sub(index[at], 2) .. ':' .. bucket)
        end
      end
    end
  end
  redis.call('UNLINK', KEYS[i])
end
return 'dropped'
`;

/** KEYS: values, order. ARGV: how many are set; key and value of those; keys of those removed. */
const asideWrite = `#!lua
for i, wanted in ipairs({'hash', 'zset'}) do
  local found = redis.call('TYPE', KEYS[i]).ok
  if found ~= wanted and found ~= 'none' then return {'wrong-type', KEYS[i], found, wanted} end
end
local firstGone = 2 + 2 * tonumber(ARGV[1])
for i = 2, firstGone - 1, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], 0, ARGV[i])
end
for i = firstGone, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[i])
  redis.call('ZREM', KEYS[2], ARGV[i])
end
return {'written'}
`;

/** KEYS: values, order. ARGV: the two ends as ZRANGE BYLEX takes them, `REV` or empty, rowsMax. */
const asideScan = `#!lua flags=no-writes
local rows, ordered = redis.call('HLEN', KEYS[1]), redis.call('ZCARD', KEYS[2])
if rows ~= ordered then return {'disorder', KEYS[2], rows, ordered} end
local keys
if ARGV[3] == 'REV' then
  keys = redis.call('ZRANGE', KEYS[2], ARGV[1], ARGV[2], 'BYLEX', 'REV', 'LIMIT', 0, ARGV[4])
else
  keys = redis.call('ZRANGE', KEYS[2], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[4])
end
local values = {}
for first = 1, #keys, ${unpackMax} do
  local piece = redis.call('HMGET', KEYS[1], unpack(keys, first, math.min(first + ${unpackMax} - 1, #keys)))
  for i = 1, #piece do values[#values + 1] = piece[i] end
end
return {'scanned', keys, values}
`;

/**
 * KEYS: the index of a model's small rows. ARGV: where the page before ended, as number and bucket; how many rows, about.
 * Owner, hex digits of the key and value, and so on; then where this page ended, or nothing at the end.
 */
const smallPage = `#!lua flags=no-writes
${smallRowsLua}
local owners = {}
local index = redis.call('HGETALL', KEYS[1])
for i = 1, #index, 2 do
  if string.sub(index[i], 1, 1) == 'o' then owners[tonumber(index[i + 1]) + 1] = string.sub(index[i], 2) end
end
local rows, number, bucket = {}, tonumber(ARGV[1]), tonumber(ARGV[2])
while owners[number + 1] do
  local buckets = bucketsFor(tonumber(redis.call('HGET', KEYS[1], '#' .. number)))
  while bucket < buckets do
    if #rows >= 3 * tonumber(ARGV[3]) then return {rows, number, bucket} end
    local all = redis.call('HGETALL', KEYS[1] .. ':' .. number .. ':' .. bucket)
    for i = 1, #all, 2 do
      rows[#rows + 1] = owners[number + 1]
      rows[#rows + 1] = hexOf(all[i])
      rows[#rows + 1] = textOf(all[i + 1])
    end
    bucket = bucket + 1
  end
  number, bucket = number + 1, 0
end
return {rows}
`;

/** KEYS: the index of a model's small rows. How many there are. */
const smallCount = `#!lua flags=no-writes
${smallRowsLua}
local rows, index = 0, redis.call('HGETALL', KEYS[1])
for i = 1, #index, 2 do
  if string.sub(index[i], 1, 1) == '#' then
    for bucket = 0, bucketsFor(tonumber(index[i + 1])) - 1 do
      rows = rows + redis.call('HLEN', KEYS[1] .. ':' .. string.sub(index[i], 2) .. ':' .. bucket)
    end
  end
end
return rows
`;

export function defineScripts(client: Redis): Scripts {
  const define = <Reply>(name: string, lua: string): Call<Reply> => {
    const command = `plimsoll-${name}`;
    client.defineCommand(command, { lua });
    // ioredis adds the command to the object, where its types do not see it.
    const added = client as unknown as Record<string, (...args: unknown[]) => Promise<Reply>>;
    return (keys, args) => {
      const run = added[command];
      if (run === undefined) throw new Error(`ioredis did not define ${command}`);
      // One array, not one argument each: a step may have more rows than a call may have arguments.
      return run.call(client, keys.length, [...keys, ...args]);
    };
  };
  return {
    commit: define('commit', commit),
    rows: define('rows', rows),
    scan: define('scan', scan),
    overview: define('overview', overview),
    switchTo: define('switch-to', switchTo),
    drop: define('drop', drop),
    smallPage: define('small-page', smallPage),
    smallCount: define('small-count', smallCount),
    asideWrite: define('aside-write', asideWrite),
    asideScan: define('aside-scan', asideScan),
  };
}
