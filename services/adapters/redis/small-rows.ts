// Rows of which there are very many, kept in a fraction of what a row of its own takes: by 16 bytes in hashes of some
// sixty, which Redis packs. Which rows those are, their keys say: a UUID, a colon and an owner.

import { Packed } from './packed.ts';

/** The read models whose rows may be small. */
export const smallModels: ReadonlySet<string> = new Set(['marker']);

/** A key as its 16 bytes, the hash of those, and the name behind the colon. */
export type SmallKey = { readonly owner: string; readonly field: Buffer; readonly hash: number };

const idBytes = 16;
const idLength = 36;
/** Where the pairs of hex digits begin. */
const pairsAt = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const dashesAt = [8, 13, 18, 23];

export function smallKeyOf(model: string, key: string): SmallKey | undefined {
  if (!smallModels.has(model) || key[idLength] !== ':') return undefined;
  if (!dashesAt.every((at) => key[at] === '-')) return undefined;
  const field = Buffer.allocUnsafe(idBytes);
  for (let at = 0; at < idBytes; at++) {
    const pair = pairsAt[at] ?? 0;
    const byte = digitAt(key, pair) * 16 + digitAt(key, pair + 1);
    // What is no digit makes it no number.
    if (Number.isNaN(byte)) return undefined;
    field[at] = byte;
  }
  return { owner: key.slice(idLength + 1), field, hash: hashOf(field) };
}

/** Small letters only: of two keys that differ, none may turn into the other. */
const digitAt = (key: string, at: number): number => {
  const code = key.charCodeAt(at);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x61 + 10 : Number.NaN;
};

/** The same as `hashAt` below: a row is looked for where its hash says, by either. */
const hashOf = (field: Buffer): number =>
  (field.readUInt32BE(0) * 31 + field.readUInt32BE(12)) % 2 ** 32;

/** The key again, from the hex digits of its bytes. */
export function keyOfSmall(fieldHex: string, owner: string): string {
  const cuts = [0, 8, 12, 16, 20, 32];
  const parts = cuts.slice(1).map((end, at) => fieldHex.slice(cuts[at], end));
  return `${parts.join('-')}:${owner}`;
}

/** Items of a row that is set, and of one that is removed. */
const setWidth = 3;
const goneWidth = 2;
const packedMark = 1;
const plainMark = 0;
const hexForm = /^"(?:[0-9a-f]{2})*"$/;

/** `value` null removes the row; `isNew`: it is taken for not being there. */
export type SmallWrite = {
  readonly place: SmallKey;
  readonly value: string | null;
  readonly isNew: boolean;
};

/**
 * What one step does to the rows of one owner, as the scripts read it: hash, key and value of those set; hash and key of
 * those removed. Behind each how many items of it are of rows that are taken for new; those come first. A JSON text of
 * hex digits in pairs takes half its bytes; any other value stands as it is.
 */
export function packSmall(
  writes: readonly SmallWrite[],
): readonly [set: Buffer, added: string, gone: Buffer, absent: string] {
  let characters = 0;
  for (const { value } of writes) characters += idBytes + (value?.length ?? 0);
  const set = new Packed(setWidth * writes.length, characters);
  const gone: SmallKey[] = [];
  let [added, absent] = [0, 0];
  for (const wanted of [true, false])
    for (const { place, value, isNew } of writes) {
      if (isNew !== wanted) continue;
      if (value === null) {
        gone.push(place);
        if (isNew) absent += goneWidth;
        continue;
      }
      if (isNew) added += setWidth;
      set.number(place.hash);
      set.bytes(place.field);
      if (hexForm.test(value)) set.marked(packedMark, value.slice(1, -1), 'hex');
      else set.marked(plainMark, value, 'utf8');
    }
  return [set.blob(), String(added), packSmallKeys(gone), String(absent)];
}

export function packSmallKeys(places: readonly SmallKey[]): Buffer {
  const packed = new Packed(goneWidth * places.length, idBytes * places.length);
  for (const { field, hash } of places) {
    packed.number(hash);
    packed.bytes(field);
  }
  return packed.blob();
}

const perBucket = 64;
/** Lua's `unpack` fails near 8,000 values. Even, because they are pairs. */
const pairsAtOnce = 4_000;

/**
 * Lua: linear hashing (Litwin 1980). Each owner has as many buckets as its keys fill, about `perBucket` to each; each
 * time a further bucket's worth of keys has come, one bucket is split in two, so a step moves little beside what it
 * writes. Count and number of each owner stand in the index; keys that go are not counted back.
 */
export const smallRowsLua: string = `
local perBucket = ${perBucket}
local call, sub, unpackAt = redis.call, string.sub, struct.unpack
-- The last bytes of a UUID are random, or a place; where they are a place, the first ones are a time.
local function hashAt(bytes, at)
  local first, last = unpackAt('>I4xxxxxxxxI4', bytes, at)
  return (first * 31 + last) % 4294967296
end
local function bucketsFor(count) return math.max(1, math.ceil(count / perBucket)) end
local function sizeFor(buckets)
  local size = 1
  while size * 2 <= buckets do size = size * 2 end
  return size
end
local function bucketOf(hash, buckets, size)
  local bucket = hash % (size * 2)
  if bucket >= buckets then bucket = hash % size end
  return bucket
end
-- Whether a hash has one of the fields that stand at every so many places of a list.
local function anyThere(key, list, last, width)
  local fields = {}
  for at = 1, last, width do
    fields[#fields + 1] = list[at]
    if #fields == ${pairsAtOnce} or at + width > last then
      for _, value in ipairs(call('HMGET', key, unpack(fields))) do
        if value then return true end
      end
      fields = {}
    end
  end
  return false
end
local function ownerIn(index, owner)
  local number = call('HGET', index, 'o' .. owner)
  if not number then return nil end
  return number, tonumber(call('HGET', index, '#' .. number))
end
-- Each character is looked up in a table that fills as it is asked.
local hexDigits = setmetatable({}, { __index = function(digits, byte)
  local pair = string.format('%02x', string.byte(byte))
  digits[byte] = pair
  return pair
end })
local function hexOf(bytes) return (string.gsub(bytes, '.', hexDigits)) end
local function textOf(value)
  if string.byte(value) == ${plainMark} then return sub(value, 2) end
  return '"' .. hexOf(sub(value, 2)) .. '"'
end
-- What lies in one bucket goes in one call: hash and what belongs to it, by bucket.
local function byBucket(rows, first, last, width, buckets, size)
  local lists = {}
  for at = first, last, width do
    local bucket = bucketOf(rows[at], buckets, size)
    local list = lists[bucket]
    if not list then
      list = {}
      lists[bucket] = list
    end
    for further = at + 1, at + width - 1 do list[#list + 1] = rows[further] end
  end
  return lists
end

-- What is to be written for one owner, and where.
local function planSmall(index, owner, set, added, gone, absent, newNumber)
  local number, count = ownerIn(index, owner)
  local plan = {
    index = index, owner = owner, number = number or newNumber, isNew = not number, count = count or 0,
    set = set, gone = gone, added = added, absent = absent,
  }
  plan.prefix = index .. ':' .. plan.number .. ':'
  plan.buckets = bucketsFor(plan.count)
  plan.size = sizeFor(plan.buckets)
  return plan
end
-- The buckets that are there, and those that come, with what each is split from.
local function keysTouched(plan)
  local touched = {}
  for at = 1, #plan.set, 3 do touched[bucketOf(plan.set[at], plan.buckets, plan.size)] = true end
  for at = 1, #plan.gone, 2 do touched[bucketOf(plan.gone[at], plan.buckets, plan.size)] = true end
  for further = plan.buckets, bucketsFor(plan.count + #plan.set / 3) - 1 do
    touched[further] = true
    touched[further - sizeFor(further)] = true
  end
  local keys = {}
  for bucket in pairs(touched) do keys[#keys + 1] = plan.prefix .. bucket end
  return keys
end

-- Whether a row is there that the step takes for new.
local function isSmallThere(plan)
  if plan.isNew then return false end
  local wanted = {}
  local function want(rows, last, width)
    for at = 1, last, width do
      local bucket = bucketOf(rows[at], plan.buckets, plan.size)
      local fields = wanted[bucket]
      if not fields then
        fields = {}
        wanted[bucket] = fields
      end
      fields[#fields + 1] = rows[at + 1]
    end
  end
  want(plan.set, plan.added, 3)
  want(plan.gone, plan.absent, 2)
  for bucket, fields in pairs(wanted) do
    if anyThere(plan.prefix .. bucket, fields, #fields, 1) then return true end
  end
  return false
end

local function hset(key, pairsOf)
  local added = 0
  for i = 1, #pairsOf, ${pairsAtOnce} do
    added = added + call('HSET', key, unpack(pairsOf, i, math.min(i + ${pairsAtOnce} - 1, #pairsOf)))
  end
  return added
end
-- Both halves are written anew: to take one row after the other out of a packed hash costs more.
local function splitOne(plan)
  local from = plan.prefix .. (plan.buckets - plan.size)
  local all, moved, left = call('HGETALL', from), {}, {}
  for i = 1, #all, 2 do
    local half = hashAt(all[i], 1) % (plan.size * 2) == plan.buckets and moved or left
    half[#half + 1] = all[i]
    half[#half + 1] = all[i + 1]
  end
  if #moved > 0 then
    call('UNLINK', from)
    hset(plan.prefix .. plan.buckets, moved)
    hset(from, left)
  end
  plan.buckets = plan.buckets + 1
  if plan.buckets == plan.size * 2 then plan.size = plan.buckets end
end
local function writeSmall(plan)
  -- What goes is no key of those that come, and goes from where it was before any bucket is split.
  for bucket, fields in pairs(byBucket(plan.gone, 1, #plan.gone, 2, plan.buckets, plan.size)) do
    for _, field in ipairs(fields) do call('HDEL', plan.prefix .. bucket, field) end
  end
  local at = 1
  while at <= #plan.set do
    -- So few that no bucket grows much before it is split.
    local last = math.min(#plan.set, at - 1 + 3 * math.max(perBucket / 2, plan.buckets * perBucket / 8))
    for bucket, list in pairs(byBucket(plan.set, at, last, 3, plan.buckets, plan.size)) do
      plan.count = plan.count + hset(plan.prefix .. bucket, list)
    end
    while bucketsFor(plan.count) > plan.buckets do splitOne(plan) end
    at = last + 1
  end
  call('HSET', plan.index, 'o' .. plan.owner, plan.number, '#' .. plan.number, plan.count)
end
`;
