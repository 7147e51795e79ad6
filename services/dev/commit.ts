import { execFileSync } from 'node:child_process';
import { repositoryFolder } from './check-steps.ts';

/** What campaigns add to while they run: it changes nothing of what runs. */
const campaignFiles = [
  'services/dev/simulate/campaign.json',
  'services/dev/faults/odometer.json',
  'services/dev/calibrate/campaign.json',
];

/**
 * The commit that is checked out, and whether files of the services differ from it. What git does not know runs only
 * where a file that it knows was changed, too. Throws outside of git.
 */
export const commitOfServices = (
  folder: string = repositoryFolder,
): { readonly commit: string; readonly changed: boolean } => {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  const others = campaignFiles.map((file) => `:(exclude)${file}`);
  return {
    commit: git('rev-parse', '--short=12', 'HEAD'),
    changed:
      git('status', '--porcelain', '--untracked-files=no', '--', 'services', ...others) !== '',
  };
};
