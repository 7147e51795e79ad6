import type { Signer } from '../../ports/signer.ts';
import { findSecrets } from '../../core/secrets/find-secrets.ts';
import type { CliPorts } from '../ports.ts';
import { ciJob } from '../../sdk/ci/ci-job.ts';
import { readPlace } from '../release/place.ts';
import type { Given } from '../terminal/arguments.ts';
import { problem } from '../problem.ts';
import { settingLines } from '../setup/config.ts';
import type { Check } from './check.ts';
import { failedBy, passed, skipped, warned } from './check.ts';

// What can be looked at without asking anybody.

export const checkSettings = ({ settings, settingSources }: CliPorts): readonly Check[] => {
  const set = settingLines(settingSources).filter(({ from }) => from !== 'default');
  const file = settingSources.file === null ? 'no settings file' : settingSources.file;
  const named = set.map(({ setting, from }) => `${setting} (${from})`).join(', ');
  return [
    passed('settings', named === '' ? `as they are built in; ${file}` : `${named}; ${file}`),
    ...settings.unknown.map((name) =>
      warned(
        'settings',
        `${name} is no setting and is not obeyed`,
        'plimsoll help settings lists them',
      ),
    ),
    ...set
      .filter(({ from, setting }) => from === 'file' && holdsSecret(settingSources, setting))
      .map(({ setting, line }) =>
        warned(
          'settings',
          `${setting} in line ${line ?? '?'} of the settings file holds what looks like a secret`,
          `keep it in the environment: a context or a masked variable of the CI`,
        ),
      ),
  ];
};

const holdsSecret = (sources: CliPorts['settingSources'], setting: string): boolean => {
  const value = setting.startsWith('--')
    ? sources.defaults[setting.slice('--'.length)]?.value
    : sources.setting(setting).value;
  return value !== undefined && value !== null && findSecrets(value).length > 0;
};

/**
 * The key to sign with, and what there is to say about it. `isLogThere`: whether the log has records, where that was
 * asked; first use of a log that has none makes keys.
 */
export const checkKey = async (
  ports: CliPorts,
  given: Given,
  isLogThere?: boolean,
): Promise<{ readonly check: Check; readonly signer: Signer | undefined }> => {
  const named = given.value('key') ?? ports.settings.keyFile;
  const path = named ?? ports.keys.pathOf('local');
  const isOwn = named === null && ports.gateway === null;
  const firstUse = (message: string, hint = ''): Awaited<ReturnType<typeof checkKey>> => ({
    check: skipped('key', message, hint),
    signer: undefined,
  });
  if (isOwn && !(await ports.isMade()))
    return firstUse('none is named; first use of the embedded log makes one');
  const read = await ports.keys.read(path);
  if (!read.ok) {
    const { code, message, hint } = read.problem;
    // The embedded log lies beside its keys: where that is there, they should be. Kafka is somewhere else.
    const isElsewhere = isOwn && code === 'key-file-missing' && isOnKafka(ports);
    if (isElsewhere && isLogThere !== true)
      return isLogThere === undefined
        ? firstUse(
            'none is named; first use of the log makes one, where it has no records yet',
            `else ${trustedKeyHint}`,
          )
        : firstUse('none is named; first use of the log makes one');
    return {
      check: failedBy('key', problem(code, message, isElsewhere ? trustedKeyHint : hint)),
      signer: undefined,
    };
  }
  const { principal, keyId } = read.value;
  return {
    check: passed('key', `${path}: ${principal} (${keyId})`),
    signer: read.value,
  };
};

/** A key that anybody could make by now would be none that the log trusts. */
const trustedKeyHint =
  "name a key that the log trusts by PLIMSOLL_KEY or --key=FILE (after plimsoll migrate it is in the old folder's keys/); plimsoll keys new --principal=NAME --out=FILE makes one, which an administrator has to trust";

const isOnKafka = ({ settings }: CliPorts): boolean => settings.log.foundation === 'kafka';

/** What a plan would say from here without a flag. */
export const checkContext = async (ports: CliPorts, given: Given): Promise<readonly Check[]> => {
  const job = ciJob(ports.env);
  const place = await readPlace(given, job, ports.repositoryAddress);
  const file = ports.settingSources.defaults['component-name']?.value;
  const component = file ?? (place.ok ? place.value.component : undefined);
  return [
    job === null
      ? skipped(
          'CI',
          'this is no job of a CI that is known here: deployments are kept by their name',
        )
      : job.run === null
        ? warned(
            'CI',
            'this job does not say which run it belongs to',
            'name deployments: --deployment=UUID',
          )
        : passed(
            'CI',
            `${job.run.provider}: run ${job.run.run}, attempt ${job.attempt ?? 'unknown'}`,
          ),
    component === undefined
      ? warned(
          'component',
          'no repository is here to take its name of',
          'component-name: NAME in plimsoll.yaml, or --component-name in each command',
        )
      : passed('component', `${component}, unless --component-name says otherwise`),
  ];
};

export const checkSpool = async ({ spool }: CliPorts): Promise<Check> => {
  const waiting = await spool.waiting();
  const refused = await spool.refused();
  if (!waiting.ok || !refused.ok) {
    const cause = waiting.ok ? refused : waiting;
    return cause.ok
      ? skipped('spool', '')
      : warned(
          'spool',
          cause.problem.message,
          'PLIMSOLL_SPOOL names a folder that may be written to',
        );
  }
  if (refused.value.length > 0)
    return warned(
      'spool',
      `${refused.value.length} markers were refused, ${waiting.value.length} wait in ${spool.place}`,
      'plimsoll spool list says why; plimsoll spool drop takes one away',
    );
  return waiting.value.length > 0
    ? warned(
        'spool',
        `${waiting.value.length} markers wait in ${spool.place}`,
        'plimsoll flush sends them',
      )
    : passed('spool', `empty (${spool.place})`);
};
