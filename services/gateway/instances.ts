import { checkInstance, partitionOfInstance } from '../core/instances/wire.ts';
import type { InstanceStarted } from '../core/instances/instance.ts';
import type { NewRecord } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import type { RecordLog } from '../ports/record-log.ts';
import type { Appender } from './appender.ts';
import { openAppender } from './appender.ts';
import { catchUpWithinMs, readRecord } from './markers.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';
import type { ReadSide } from './read-side.ts';

/** Starts that one gateway takes in a second; more are refused at once, so that a flood leaves room for markers. */
export const startsPerSecondMax = 500;

export type InstanceDoor = {
  /** POST /v1/instances: one signed start. Whatever is not proven here does not reach the topic. */
  readonly post: (request: HttpRequest) => Promise<Result<HttpResponse, Problem>>;
};

type DoorPorts = Pick<GatewayPorts, 'log' | 'tools' | 'audience' | 'clock'> & {
  readonly reads: ReadSide;
  readonly topic: NonNullable<GatewayPorts['instances']>;
};

export const openInstanceDoor = (ports: DoorPorts): InstanceDoor => {
  const { clock, tools } = ports;
  const appenders = new Map<number, Appender>();
  let second = 0;
  let taken = 0;

  const isFlooded = (): boolean => {
    const now = Math.floor(clock.nowMs() / 1000);
    if (now !== second) taken = 0;
    second = now;
    taken += 1;
    return taken > startsPerSecondMax;
  };

  const appenderOf = (topic: RecordLog, partition: number): Appender => {
    const known = appenders.get(partition) ?? openAppender(topic, partition);
    appenders.set(partition, known);
    return known;
  };

  return {
    post: async (request) => {
      if (isFlooded())
        return refuse(
          'busy',
          `more than ${startsPerSecondMax} instances a second`,
          'nothing was written; send the same bytes again',
        );
      const record = await readRecord(ports, request);
      if (!record.ok) return record;
      const instance = await checkCaughtUp(ports, record.value);
      if (!instance.ok) return instance;
      const topic = await ports.topic();
      if (!topic.ok) return refuse('log-unreachable', topic.problem.message);
      const partition = partitionOfInstance(tools.text, record.value);
      const position = await appenderOf(topic.value, partition).append(record.value);
      if (!position.ok) return position;
      const { marker, kind, instance: name } = instance.value;
      return ok({
        status: 201,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          instance: name,
          marker,
          kind,
          delivery: 'stored',
          code: null,
          partition,
          position: position.value,
        }),
      });
    },
  };
};

/** A key that was just added is on the log before it is in the read models: an unknown one waits for them. */
const checkCaughtUp = async (
  ports: DoorPorts,
  record: NewRecord,
): Promise<Result<InstanceStarted, Problem>> => {
  const check = async (): Promise<Result<InstanceStarted, Problem>> => {
    const keys = await ports.reads.trust();
    if (!keys.ok) return keys;
    const checked = checkInstance(ports.tools, ports.audience, keys.value.trust.keys, record);
    return checked.ok ? checked : refuse(checked.problem.code, checked.problem.message);
  };
  const first = await check();
  if (first.ok || first.problem.code !== 'key-unknown') return first;
  const range = await ports.log.range(0);
  if (!range.ok) return refuse('log-unreachable', range.problem.message);
  const reached = await ports.reads.waitFor(range.value.end - 1, catchUpWithinMs);
  return reached.ok ? check() : first;
};
