import type { Selection } from '../../core/telemetry/telemetry-point.ts';
import { AttributeMemo } from './attributes.ts';

/** A metric of a selection, made ready for the walk. */
export type WantedMetric = {
  readonly name: string;
  readonly nameBytes: Buffer;
  /** Names of the point attributes that travel on. */
  readonly attributes: readonly string[];
  /** Judged as a level; else its points are of requests. */
  readonly isLevel: boolean;
  /** Shared by the metrics that want the same attributes: what it remembers depends on them. */
  readonly memo: AttributeMemo;
};

/** A selection, made ready for the walk. It remembers attributes, so keep it as long as the selection. */
export class WantedMetrics {
  readonly targetAttributes: readonly string[];
  readonly usualTargetAttributes: readonly string[];
  readonly cohortAttributes: readonly string[];
  readonly #byName = new Map<string, WantedMetric>();
  readonly #byBytes = new Map<number, WantedMetric[]>();

  constructor({ metrics, levels, ...resource }: Selection) {
    this.targetAttributes = resource.targetAttributes;
    this.usualTargetAttributes = resource.usualTargetAttributes;
    this.cohortAttributes = resource.cohortAttributes;
    const memos = new Map<string, AttributeMemo>();
    for (const [name, attributes] of metrics) {
      const key = JSON.stringify(attributes);
      const memo = memos.get(key) ?? new AttributeMemo();
      memos.set(key, memo);
      const nameBytes = Buffer.from(name);
      const isLevel = levels.has(name);
      const wanted: WantedMetric = { name, nameBytes, attributes, isLevel, memo };
      this.#byName.set(name, wanted);
      const alike = this.#byBytes.get(nameBytes.length) ?? [];
      alike.push(wanted);
      this.#byBytes.set(nameBytes.length, alike);
    }
  }

  named(name: string): WantedMetric | undefined {
    return this.#byName.get(name);
  }

  /** The metric whose name these bytes are. */
  namedIn(bytes: Buffer, start: number, end: number): WantedMetric | undefined {
    return this.#byBytes
      .get(end - start)
      ?.find(({ nameBytes }) => nameBytes.compare(bytes, start, end) === 0);
  }
}
