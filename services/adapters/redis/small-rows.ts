// Rows of which there are very many, kept in a fraction of what a row of its own takes: by 16 bytes in hashes of some
// sixty, which Redis packs. Which rows those are, their keys say: a UUID, a colon and an owner.

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

const perBucket = 64;

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
local function ownerIn(index, owner)
  local number = call('HGET', index, 'o' .. owner)
  if not number then return nil end
  return number, tonumber(call('HGET', index, '#' .. number))
end
local function textOf(value)
  if string.byte(value) == ${plainMark} then return sub(value, 2) end
  return '"' .. string.gsub(sub(value, 2), '.', function(byte)
    return string.format('%02x', string.byte(byte))
  end) .. '"'
end

-- What is to be written for one owner, and where.
local function planSmall(index, owner, set, gone, newNumber)
  local number, count = ownerIn(index, owner)
  local plan = {
    index = index, owner = owner, number = number or newNumber, isNew = not number, count = count or 0,
    fields = {}, values = {}, hashes = {}, keys = {}, gone = {}, goneKeys = {},
  }
  plan.prefix = index .. ':' .. plan.number .. ':'
  plan.buckets = bucketsFor(plan.count)
  plan.size = sizeFor(plan.buckets)
  local at, i = 1, 0
  while at <= #set do
    i = i + 1
    local first, last, length = unpackAt('>I4xxxxxxxxI4I4', set, at)
    local hash = (first * 31 + last) % 4294967296
    plan.fields[i] = sub(set, at, at + 15)
    plan.values[i] = sub(set, at + 20, at + 19 + length)
    plan.hashes[i] = hash
    plan.keys[i] = plan.prefix .. bucketOf(hash, plan.buckets, plan.size)
    at = at + 20 + length
  end
  for from = 1, #gone, 16 do
    plan.gone[#plan.gone + 1] = sub(gone, from, from + 15)
    plan.goneKeys[#plan.gone] = plan.prefix .. bucketOf(hashAt(gone, from), plan.buckets, plan.size)
  end
  return plan
end
local function keysTouched(plan)
  local touched = {}
  for _, key in ipairs(plan.keys) do touched[key] = true end
  for _, key in ipairs(plan.goneKeys) do touched[key] = true end
  for further = plan.buckets, bucketsFor(plan.count + #plan.fields) do touched[plan.prefix .. further] = true end
  return touched
end

local function splitOne(plan)
  local from, to = plan.prefix .. (plan.buckets - plan.size), plan.prefix .. plan.buckets
  local all, moved, left = call('HGETALL', from), {}, {}
  for i = 1, #all, 2 do
    if hashAt(all[i], 1) % (plan.size * 2) == plan.buckets then
      moved[#moved + 1] = all[i]
      moved[#moved + 1] = all[i + 1]
      left[#left + 1] = all[i]
    end
  end
  for i = 1, #left, 1000 do
    call('HSET', to, unpack(moved, 2 * i - 1, 2 * math.min(i + 999, #left)))
    call('HDEL', from, unpack(left, i, math.min(i + 999, #left)))
  end
  plan.buckets = plan.buckets + 1
  if plan.buckets == plan.size * 2 then plan.size = plan.buckets end
end
local function writeSmall(plan)
  -- What goes is no key of those that come, and goes from where it was before any bucket is split.
  for i, field in ipairs(plan.gone) do call('HDEL', plan.goneKeys[i], field) end
  local planned = plan.buckets
  for i, field in ipairs(plan.fields) do
    local key = plan.keys[i]
    if plan.buckets ~= planned then key = plan.prefix .. bucketOf(plan.hashes[i], plan.buckets, plan.size) end
    if call('HSET', key, field, plan.values[i]) == 1 then
      plan.count = plan.count + 1
      while bucketsFor(plan.count) > plan.buckets do splitOne(plan) end
    end
  end
  call('HSET', plan.index, 'o' .. plan.owner, plan.number, '#' .. plan.number, plan.count)
end
`;
