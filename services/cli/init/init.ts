import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { settingsFileName } from '../../core/settings-file.ts';
import type { ProjectFiles } from '../../ports/project-files.ts';
import type { Check } from '../doctor/check.ts';
import { failedBy, notMet, passed, warned } from '../doctor/check.ts';
import { checkLines, offlineChecks } from '../doctor/doctor.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';
import { ciJob } from '../../sdk/ci/ci-job.ts';
import { readPlace } from '../release/place.ts';
import type { Given } from '../terminal/arguments.ts';
import type { CiName } from './ci-snippets.ts';
import { ciNames, ciSnippet, keyPlace } from './ci-snippets.ts';
import type { Project, Snippet } from './deploy-script.ts';
import { deployScript, gateScript, installScript } from './deploy-script.ts';
import type { RecipeName } from './recipes.ts';
import { recipe, recipeNames } from './recipes.ts';
import { settingsFileText } from './settings-text.ts';

/**
 * Writes what a pipeline needs, offline. Called again it changes nothing; a file that somebody changed stays unless
 * --force is given. What is left for people to do is listed at the end.
 */
export const runInit = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const project = await readProject(ports, given);
  if (!project.ok) return project;
  const cis = readWords(given, 'ci', ciNames);
  if (!cis.ok) return cis;
  const recipes = readWords(given, 'recipe', recipeNames);
  if (!recipes.ok) return recipes;
  const files = ports.projectFiles();
  const chosen = cis.value.length > 0 ? cis.value : detected(files);
  const snippets = snippetsOf(ports, project.value, chosen, recipes.value);
  const written = snippets.map((snippet) => write(files, snippet, given));
  // As the next command finds it.
  const settled = ports.readSettings();
  const after = settled.ok ? { ...ports, ...settled.value } : ports;
  const checks = [
    ...written,
    ...gatewayToName(after),
    ...packageToName(chosen),
    ...project.value.environments.map((environment) =>
      keyToMake(project.value, environment, chosen),
    ),
    // Whoever begins has no key yet.
    ...(await offlineChecks(after, given)).map((check) =>
      check.outcome === 'fail' ? notMet(check.check, check.message, check.hint) : check,
    ),
  ];
  checkLines(ports.terminal, checks, isJson);
  const failed = written.find(({ outcome }) => outcome === 'fail');
  return failed === undefined
    ? ok(undefined)
    : fail({ code: 'file-invalid', message: failed.message, hint: failed.hint, exit: failed.exit });
};

/** Names that mean nothing to a shell, to YAML or in a path. */
const plainName = /^[A-Za-z0-9][\w.-]{0,62}$/;

const readProject = async (ports: CliPorts, given: Given): Promise<Result<Project, CliProblem>> => {
  const place = await readPlace(given, ciJob(ports.env), ports.repositoryAddress);
  const file = ports.settingSources.defaults['component-name']?.value;
  const written = given.value('component-name') ?? file;
  if (written === undefined && !place.ok) return place;
  const component = written ?? (place.ok ? place.value.component : '');
  const named = given.values('environment-name');
  const environments = named.length > 0 ? named : ['staging', 'production'];
  const strange = [component, ...environments].find((name) => !plainName.test(name));
  if (strange !== undefined)
    return refuse(
      'option-invalid',
      `${JSON.stringify(strange.slice(0, 64))} cannot stand in a snippet`,
      'letters, digits, dots, dashes and underscores can: --component-name=NAME, --environment-name=NAME',
    );
  return ok({ component, environments: [...new Set(environments)] });
};

const readWords = <Word extends string>(
  given: Given,
  option: string,
  known: readonly Word[],
): Result<readonly Word[], CliProblem> => {
  const words: Word[] = [];
  for (const written of given.values(option)) {
    const word = known.find((one) => one === written);
    if (word === undefined)
      return refuse(
        'option-invalid',
        `--${option}=${JSON.stringify(written.slice(0, 64))} is not known here`,
        `one of: ${known.join(', ')}`,
      );
    words.push(word);
  }
  return ok([...new Set(words)]);
};

const signs: readonly (readonly [ci: CiName, path: string])[] = [
  ['circleci', '.circleci'],
  ['github', '.github/workflows'],
  ['gitlab', '.gitlab-ci.yml'],
  ['jenkins', 'Jenkinsfile'],
];

const detected = (files: ProjectFiles): readonly CiName[] => {
  const found = signs.filter(([, path]) => files.exists(path)).map(([ci]) => ci);
  return found.length === 0 ? ['bash'] : found;
};

const snippetsOf = (
  ports: CliPorts,
  project: Project,
  cis: readonly CiName[],
  recipes: readonly RecipeName[],
): readonly Snippet[] => [
  {
    path: settingsFileName,
    text: settingsFileText(ports.settingSources, project),
    isExecutable: false,
  },
  deployScript(project),
  gateScript(project),
  ...(cis.some((ci) => ci !== 'bash') ? [installScript] : []),
  ...cis.flatMap((ci) => ciSnippet(ci, project) ?? []),
  ...recipes.map(recipe),
];

const write = (files: ProjectFiles, { path, text, isExecutable }: Snippet, given: Given): Check => {
  const there = files.read(path);
  if (there === text) return passed(path, 'is there already');
  const isOwn = path === settingsFileName || !given.has('force');
  if (isOwn && (there !== null || files.exists(path)))
    return path === settingsFileName
      ? passed(path, 'is there already, and stays as it is')
      : warned(
          path,
          'is there and says something else; it stays as it is',
          '--force writes it anew',
        );
  if (given.has('dry-run')) return passed(path, 'would be written');
  const written = files.write(path, text, isExecutable);
  return written.ok
    ? passed(path, 'written')
    : failedBy(
        path,
        problem(written.problem.code, written.problem.message, 'may its folder be written to?'),
      );
};

/** What jobs write to a log of their own goes with them. */
const gatewayToName = ({ settingSources: { setting } }: CliPorts): readonly Check[] =>
  ['PLIMSOLL_URL', 'PLIMSOLL_LOG'].some((name) => setting(name).from !== 'default')
    ? []
    : [
        notMet(
          'gateway',
          'none is named: a job would write to a log on its own disk, which goes with it',
          'url: https://… in plimsoll.yaml, of a gateway that you run (plimsoll up, plimsoll gateway)',
        ),
      ];

/** Plimsoll is in no public registry, and whoever took its name there would run in every job. */
const packageToName = (cis: readonly CiName[]): readonly Check[] =>
  cis.every((ci) => ci === 'bash')
    ? []
    : [
        notMet(
          'package',
          'jobs install what the variable MARKER_PACKAGE of the CI names; without it they deploy without markers',
          'npm run build makes dist/plimsoll; npm pack there makes the tarball: put it where jobs reach it, or into your own registry',
        ),
      ];

/** Keys are no files of a repository, and trust is an administrator's to give: so this is said, not done. */
const keyToMake = ({ component }: Project, environment: string, cis: readonly CiName[]): Check => {
  const name = `${component}-${environment}`;
  return notMet(
    `key of ${environment}`,
    `one key that may act there alone, kept in: ${cis.map((ci) => keyPlace(ci, environment)).join('; ')}`,
    `plimsoll keys new --principal=ci@${name} --out=../${name}.json; plimsoll keys trust ../${name}.pub.json --role=emitter --environment=${environment} --component=${component}`,
  );
};
