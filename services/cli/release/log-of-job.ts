import type { CliPorts } from '../ports.ts';
import type { Note } from '../terminal/note.ts';

/** Where a CI job would write to a log on its own disk because nobody said otherwise: what it is to be told. */
export const logOfJob = (
  { gateway, settings, settingSources }: Pick<CliPorts, 'gateway' | 'settings' | 'settingSources'>,
  job: object | null,
): Note | undefined =>
  job !== null &&
  gateway === null &&
  settings.log.foundation === 'sqlite' &&
  settingSources.setting('PLIMSOLL_LOG').from === 'default'
    ? {
        code: 'log-of-job',
        message: "no gateway is named, so the log lies on this job's disk and goes with it",
        hint: 'name a gateway: url: in plimsoll.yaml or PLIMSOLL_URL; PLIMSOLL_LOG where the disk stays',
      }
    : undefined;
