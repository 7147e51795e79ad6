import type { DeploymentId } from './markers/marker.ts';
import type { TextDigest } from './uuid-v8.ts';
import { uuidOfParts } from './uuid-v8.ts';

/** A run of a CI system, without its attempt: a rerun is the next attempt of the same deployment. */
export type CiRun = {
  readonly provider: string;
  readonly server: string;
  readonly repository: string;
  readonly run: string;
};

/** The deployment that a CI run calls `deployName`: the same in every job of the run, and when it is run again. */
export const deploymentIdOf = (digest: TextDigest, run: CiRun, deployName: string): DeploymentId =>
  uuidOfParts(digest, [
    run.provider,
    run.server,
    run.repository,
    run.run,
    deployName,
  ]) as DeploymentId;
