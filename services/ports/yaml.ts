import type { ReadYaml } from '../core/canary/policy/policy-file.ts';
import type { Json } from '../core/canonical.ts';

/** YAML as people write it, and as they are shown it. */
export type Yaml = {
  readonly read: ReadYaml;
  /** Text that `read` reads as the same value. */
  readonly print: (value: Json) => string;
};
