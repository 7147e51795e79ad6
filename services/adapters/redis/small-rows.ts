// Rows of which there are very many, kept in a fraction of what a row of its own takes: by 16 bytes in hashes of about
// a hundred, which Redis packs. Which rows those are, their keys say: a UUID, a colon and an owner.

/** The read models whose rows may be small. */
export const smallModels: ReadonlySet<string> = new Set(['marker']);

/** A key as its 16 bytes and the name behind the colon. */
export type SmallKey = { readonly owner: string; readonly field: Buffer };

const smallKeyForm =
  /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12}):([^]*)$/;

export function smallKeyOf(model: string, key: string): SmallKey | undefined {
  if (!smallModels.has(model)) return undefined;
  const match = smallKeyForm.exec(key);
  if (match === null) return undefined;
  const [, a = '', b = '', c = '', d = '', e = '', owner = ''] = match;
  return { owner, field: Buffer.from(a + b + c + d + e, 'hex') };
}

/** The key again, from the hex digits of its bytes. */
export function keyOfSmall(fieldHex: string, owner: string): string {
  const cuts = [0, 8, 12, 16, 20, 32];
  const parts = cuts.slice(1).map((end, at) => fieldHex.slice(cuts[at], end));
  return `${parts.join('-')}:${owner}`;
}

const packedMark = 1;
const plainMark = 0;
const hexForm = /^"(?:[0-9a-f]{2})*"$/;

/** A JSON text of hex digits in pairs takes half its bytes; any other value stands as it is. */
function packValue(value: string): Buffer {
  return hexForm.test(value)
    ? Buffer.concat([Buffer.of(packedMark), Buffer.from(value.slice(1, -1), 'hex')])
    : Buffer.concat([Buffer.of(plainMark), Buffer.from(value)]);
}

/** What one step does to the rows of one owner, as the scripts read it. */
export class SmallWrites {
  readonly #set: Buffer[] = [];
  readonly #gone: Buffer[] = [];

  add(field: Buffer, value: string | null): void {
    if (value === null) {
      this.#gone.push(field);
      return;
    }
    const packed = packValue(value);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(packed.length);
    this.#set.push(field, length, packed);
  }

  /** Key, length and value of those set; keys of those removed. */
  blobs(): readonly [set: Buffer, gone: Buffer] {
    return [Buffer.concat(this.#set), Buffer.concat(this.#gone)];
  }
}

const perBucket = 100;

/**
 * Lua: linear hashing (Litwin 1980). Each owner has as many buckets as its keys fill, about `perBucket` to each; with
 * every further hundred keys one bucket is split in two, so no step ever moves more than one bucket for each hundred
 * that it writes. Count and number of each owner stand in the index; keys that go are not counted back.
 */
export const smallRowsLua: string = `
local perBucket = ${perBucket}
local function hashOf(field) return tonumber(string.sub(redis.sha1hex(field), 1, 8), 16) end
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
local function ownerIn(index, owner)
  local number = redis.call('HGET', index, 'o' .. owner)
  if not number then return nil end
  return number, tonumber(redis.call('HGET', index, '#' .. number))
end
local function textOf(value)
  if string.byte(value) == ${plainMark} then return string.sub(value, 2) end
  return '"' .. string.gsub(string.sub(value, 2), '.', function(byte)
    return string.format('%02x', string.byte(byte))
  end) .. '"'
end
local function lengthAt(blob, at)
  local a, b, c, d = string.byte(blob, at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

-- What is to be written for one owner, and what of other types stands where it would be.
local function planSmall(index, owner, set, gone, newNumber)
  local number, count = ownerIn(index, owner)
  local plan = {
    index = index, owner = owner, number = number or newNumber, isNew = not number, count = count or 0,
    set = {}, gone = {},
  }
  plan.buckets = bucketsFor(plan.count)
  plan.size = sizeFor(plan.buckets)
  local at = 1
  while at <= #set do
    local field, length = string.sub(set, at, at + 15), lengthAt(set, at + 16)
    plan.set[#plan.set + 1] = {
      field = field, hash = hashOf(field), value = string.sub(set, at + 20, at + 19 + length),
    }
    at = at + 20 + length
  end
  for from = 1, #gone, 16 do
    local field = string.sub(gone, from, from + 15)
    plan.gone[#plan.gone + 1] = { field = field, hash = hashOf(field) }
  end
  return plan
end
local function bucketKey(plan, bucket) return plan.index .. ':' .. plan.number .. ':' .. bucket end
local function bucketsTouched(plan)
  local touched = {}
  for _, rows in ipairs({plan.set, plan.gone}) do
    for _, row in ipairs(rows) do touched[bucketOf(row.hash, plan.buckets, plan.size)] = true end
  end
  for further = plan.buckets, bucketsFor(plan.count + #plan.set) do touched[further] = true end
  return touched
end

local function splitOne(plan)
  local from, to = bucketKey(plan, plan.buckets - plan.size), bucketKey(plan, plan.buckets)
  local all, moved, left = redis.call('HGETALL', from), {}, {}
  for i = 1, #all, 2 do
    if hashOf(all[i]) % (plan.size * 2) == plan.buckets then
      moved[#moved + 1] = all[i]
      moved[#moved + 1] = all[i + 1]
      left[#left + 1] = all[i]
    end
  end
  for i = 1, #left, 1000 do
    redis.call('HSET', to, unpack(moved, 2 * i - 1, 2 * math.min(i + 999, #left)))
    redis.call('HDEL', from, unpack(left, i, math.min(i + 999, #left)))
  end
  plan.buckets = plan.buckets + 1
  if plan.buckets == plan.size * 2 then plan.size = plan.buckets end
end
local function writeSmall(plan)
  for _, row in ipairs(plan.set) do
    local key = bucketKey(plan, bucketOf(row.hash, plan.buckets, plan.size))
    if redis.call('HSET', key, row.field, row.value) == 1 then
      plan.count = plan.count + 1
      while bucketsFor(plan.count) > plan.buckets do splitOne(plan) end
    end
  end
  for _, row in ipairs(plan.gone) do
    redis.call('HDEL', bucketKey(plan, bucketOf(row.hash, plan.buckets, plan.size)), row.field)
  end
  redis.call('HSET', plan.index, 'o' .. plan.owner, plan.number, '#' .. plan.number, plan.count)
end
`;
