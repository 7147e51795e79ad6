import type { Project, Snippet } from './deploy-script.ts';

// What a CI runs, one file a CI, to be copied into its own configuration or included by it. Each environment has a key
// of its own, which only jobs of that environment see.

export type CiName = 'circleci' | 'github' | 'gitlab' | 'jenkins' | 'bash';

export const ciNames: readonly CiName[] = ['circleci', 'github', 'gitlab', 'jenkins', 'bash'];

/** Where the key of an environment is kept, in the words of the CI. */
export const keyPlace = (ci: CiName, environment: string): string => {
  switch (ci) {
    case 'circleci':
      return `CircleCI: context plimsoll-${environment}, variable MARKER_KEY`;
    case 'github':
      return `GitHub: environment ${environment}, secret MARKER_KEY`;
    case 'gitlab':
      // Of a variable that is expanded it masks no braces and quotes.
      return `GitLab: variable MARKER_KEY with the environment scope ${environment}, masked and protected, not expanded`;
    case 'jenkins':
      return `Jenkins: secret text plimsoll-${environment}`;
    case 'bash':
      return 'anywhere else: the variable MARKER_KEY, for deployments to it alone';
  }
};

const install = '.plimsoll/install.sh';
const deployCommand = './deploy.sh';
/** Of a canary, which the deploy script then leaves running. */
const canaryOptions = '--strategy=canary --canary-share=0.1';
const promoteCommand = './promote.sh';
const rollBackCommand = './roll-back.sh';
const gateOptions = '--wait=30m';

export const ciSnippet = (ci: CiName, project: Project): Snippet | undefined => {
  switch (ci) {
    case 'circleci':
      return { path: '.plimsoll/circleci.yml', text: circleci(project), isExecutable: false };
    case 'github':
      return { path: '.plimsoll/github-actions.yml', text: github(project), isExecutable: false };
    case 'gitlab':
      return { path: '.plimsoll/gitlab-ci.yml', text: gitlab(project), isExecutable: false };
    case 'jenkins':
      return { path: '.plimsoll/Jenkinsfile', text: jenkins(project), isExecutable: false };
    case 'bash':
      // The script alone is all that a shell needs.
      return undefined;
  }
};

const heading = (into: string): string =>
  `# Made by "plimsoll init": ${into}. ${deployCommand} stands for your own deployment;\n# MARKER_PACKAGE, a variable of the CI, says what npm installs (see .plimsoll/install.sh).\n`;

/** Where a canary is worth it: the last environment, and the one before it. */
const lastOf = (
  environments: readonly string[],
): readonly (readonly [environment: string, before: string | undefined])[] =>
  withBefore(environments).slice(-1);

/** What is there to be used by whoever wants it. */
const commentedOut = (mark: '#' | '//', lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === '' ? mark : `${mark} ${line}`));

const canaryHeading = (environment: string, what: string): readonly string[] => [
  `A canary in ${environment}, and its gate, in place of ${what}: ${deployCommand} gives it a share of the traffic,`,
  `and the gate waits for the verdict, then runs ${promoteCommand} or ${rollBackCommand}, which stand for your own.`,
  '',
];

/** Each environment after the one before it. */
const withBefore = (
  environments: readonly string[],
): readonly (readonly [environment: string, before: string | undefined])[] =>
  environments.map((environment, index) => [environment, environments[index - 1]] as const);

const circleci = ({ environments }: Project): string =>
  [
    `${heading('copy what you need into .circleci/config.yml')}version: 2.1`,
    'jobs:',
    '  deploy:',
    '    parameters:',
    '      environment:',
    '        type: string',
    '    docker:',
    '      - image: cimg/node:24.0',
    '    steps:',
    '      - checkout',
    `      - run: ${install}`,
    '      - run:',
    '          name: Deploy',
    `          command: .plimsoll/deploy.sh << parameters.environment >> "$CIRCLE_SHA1" -- ${deployCommand} << parameters.environment >>`,
    'workflows:',
    '  deploy:',
    '    jobs:',
    ...withBefore(environments).flatMap(([environment, before]) => [
      '      - deploy:',
      `          name: deploy-${environment}`,
      `          environment: ${environment}`,
      `          context: [plimsoll-${environment}]`,
      ...(before === undefined ? [] : [`          requires: [deploy-${before}]`]),
    ]),
    ...lastOf(environments).flatMap(([environment, before]) =>
      commentedOut('#', [
        ...canaryHeading(environment, `deploy-${environment}`),
        'jobs:',
        '  canary:',
        '    parameters:',
        '      environment:',
        '        type: string',
        '    docker:',
        '      - image: cimg/node:24.0',
        '    environment:',
        '      LEAVE_RUNNING: "1"',
        '    steps:',
        '      - checkout',
        `      - run: ${install}`,
        '      - run:',
        '          name: Canary',
        `          command: .plimsoll/deploy.sh << parameters.environment >> "$CIRCLE_SHA1" ${canaryOptions} -- ${deployCommand} << parameters.environment >>`,
        '  gate:',
        '    parameters:',
        '      environment:',
        '        type: string',
        '    docker:',
        '      - image: cimg/node:24.0',
        '    environment:',
        `      PROMOTE: ${promoteCommand} << parameters.environment >>`,
        `      ROLL_BACK: ${rollBackCommand} << parameters.environment >>`,
        '    steps:',
        '      - checkout',
        `      - run: ${install}`,
        '      - run:',
        '          name: Gate',
        `          command: .plimsoll/gate.sh << parameters.environment >> ${gateOptions}`,
        'workflows:',
        '  deploy:',
        '    jobs:',
        '      - canary:',
        `          name: canary-${environment}`,
        `          environment: ${environment}`,
        `          context: [plimsoll-${environment}]`,
        ...(before === undefined ? [] : [`          requires: [deploy-${before}]`]),
        '      - gate:',
        `          name: gate-${environment}`,
        `          environment: ${environment}`,
        `          context: [plimsoll-${environment}]`,
        `          requires: [canary-${environment}]`,
      ]),
    ),
    '',
  ].join('\n');

const github = ({ environments }: Project): string =>
  [
    `${heading('copy it to .github/workflows/deploy.yml')}name: deploy`,
    'on:',
    '  push:',
    '    branches: [main]',
    'permissions:',
    '  contents: read',
    'jobs:',
    ...withBefore(environments).flatMap(([environment, before]) =>
      githubJob(
        'deploy',
        environment,
        before === undefined ? undefined : `deploy-${before}`,
        `.plimsoll/deploy.sh ${environment} "$GITHUB_SHA" -- ${deployCommand} ${environment}`,
      ),
    ),
    ...lastOf(environments).flatMap(([environment, before]) =>
      commentedOut('#', [
        ...canaryHeading(environment, `deploy-${environment}`),
        'jobs:',
        ...githubJob(
          'canary',
          environment,
          before === undefined ? undefined : `deploy-${before}`,
          `.plimsoll/deploy.sh ${environment} "$GITHUB_SHA" ${canaryOptions} -- ${deployCommand} ${environment}`,
          ["LEAVE_RUNNING: '1'"],
        ),
        ...githubJob(
          'gate',
          environment,
          `canary-${environment}`,
          `.plimsoll/gate.sh ${environment} ${gateOptions}`,
          [
            `PROMOTE: ${promoteCommand} ${environment}`,
            `ROLL_BACK: ${rollBackCommand} ${environment}`,
          ],
        ),
      ]),
    ),
    '',
  ].join('\n');

/** `variables`: besides the key. */
const githubJob = (
  what: string,
  environment: string,
  after: string | undefined,
  command: string,
  variables: readonly string[] = [],
): readonly string[] => [
  `  ${what}-${environment}:`,
  '    runs-on: ubuntu-latest',
  `    environment: ${environment}`,
  ...(after === undefined ? [] : [`    needs: ${after}`]),
  '    steps:',
  '      - uses: actions/checkout@v5',
  `      - run: ${install}`,
  '        env:',
  '          MARKER_PACKAGE: ${{ vars.MARKER_PACKAGE }}',
  `      - run: ${command}`,
  '        env:',
  '          MARKER_KEY: ${{ secrets.MARKER_KEY }}',
  ...variables.map((variable) => `          ${variable}`),
];

const gitlab = ({ environments }: Project): string =>
  [
    `${heading('in .gitlab-ci.yml write  include: { local: .plimsoll/gitlab-ci.yml }')}.deploy:`,
    '  image: node:24',
    '  stage: deploy',
    '  before_script:',
    `    - ${install}`,
    ...withBefore(environments).flatMap(([environment, before]) => [
      `deploy-${environment}:`,
      '  extends: .deploy',
      `  environment: ${environment}`,
      ...(before === undefined ? [] : [`  needs: [deploy-${before}]`]),
      '  script:',
      `    - .plimsoll/deploy.sh ${environment} "$CI_COMMIT_SHA" -- ${deployCommand} ${environment}`,
    ]),
    ...lastOf(environments).flatMap(([environment, before]) =>
      commentedOut('#', [
        ...canaryHeading(environment, `deploy-${environment}`),
        `canary-${environment}:`,
        '  extends: .deploy',
        `  environment: ${environment}`,
        ...(before === undefined ? [] : [`  needs: [deploy-${before}]`]),
        '  variables:',
        "    LEAVE_RUNNING: '1'",
        '  script:',
        `    - .plimsoll/deploy.sh ${environment} "$CI_COMMIT_SHA" ${canaryOptions} -- ${deployCommand} ${environment}`,
        `gate-${environment}:`,
        '  extends: .deploy',
        `  environment: ${environment}`,
        `  needs: [canary-${environment}]`,
        '  variables:',
        `    PROMOTE: ${promoteCommand} ${environment}`,
        `    ROLL_BACK: ${rollBackCommand} ${environment}`,
        '  script:',
        `    - .plimsoll/gate.sh ${environment} ${gateOptions}`,
      ]),
    ),
    '',
  ].join('\n');

const jenkins = ({ environments }: Project): string =>
  [
    '// Made by "plimsoll init": copy the stages into your Jenkinsfile. ./deploy.sh stands for your own deployment;',
    '// MARKER_PACKAGE says what npm installs.',
    'pipeline {',
    '  agent any',
    '  stages {',
    "    stage('Plimsoll') {",
    `      steps { sh '${install}' }`,
    '    }',
    ...environments.flatMap((environment) => [
      `    stage('Deploy to ${environment}') {`,
      '      steps {',
      `        withCredentials([string(credentialsId: 'plimsoll-${environment}', variable: 'MARKER_KEY')]) {`,
      `          sh '.plimsoll/deploy.sh ${environment} "$GIT_COMMIT" -- ${deployCommand} ${environment}'`,
      '        }',
      '      }',
      '    }',
    ]),
    ...environments
      .slice(-1)
      .flatMap((environment) =>
        commentedOut('//', [
          ...canaryHeading(environment, `the stage 'Deploy to ${environment}'`),
          `stage('Canary in ${environment}') {`,
          '  steps {',
          `    withCredentials([string(credentialsId: 'plimsoll-${environment}', variable: 'MARKER_KEY')]) {`,
          `      sh 'LEAVE_RUNNING=1 .plimsoll/deploy.sh ${environment} "$GIT_COMMIT" ${canaryOptions} -- ${deployCommand} ${environment}'`,
          '    }',
          '  }',
          '}',
          `stage('Gate of ${environment}') {`,
          '  steps {',
          `    withCredentials([string(credentialsId: 'plimsoll-${environment}', variable: 'MARKER_KEY')]) {`,
          `      withEnv(['PROMOTE=${promoteCommand} ${environment}', 'ROLL_BACK=${rollBackCommand} ${environment}']) {`,
          `        sh '.plimsoll/gate.sh ${environment} ${gateOptions}'`,
          '      }',
          '    }',
          '  }',
          '}',
        ]).map((line) => `    ${line}`),
      ),
    '  }',
    '}',
    '',
  ].join('\n');
