import type { ReadJob } from './ci-words.ts';
import { address, linksOf, nameText, originOf, repositoryOf, text } from './ci-words.ts';

/** Not CircleCI on a server of one's own, whose pages lie elsewhere. */
const cloud = 'https://circleci.com';
const cloudApp = 'https://app.circleci.com';

/** https://circleci.com/docs/reference/variables/ */
export const circleci: ReadJob = (env) => {
  const workflow = nameText(env, 'CIRCLE_WORKFLOW_ID');
  // A rerun from failed is a new workflow in the same workspace.
  const run = text(env, 'CIRCLE_WORKFLOW_WORKSPACE_ID') ?? workflow;
  const url = address(env, 'CIRCLE_BUILD_URL');
  const server = originOf(url);
  const owner = text(env, 'CIRCLE_PROJECT_USERNAME');
  const name = nameText(env, 'CIRCLE_PROJECT_REPONAME');
  const { repository, repositoryName } = repositoryOf(env, 'CIRCLE_REPOSITORY_URL');
  const tag = nameText(env, 'CIRCLE_TAG');
  const request = address(env, 'CIRCLE_PULL_REQUEST');
  const requestId = /\/([0-9]{1,20})\/?$/.exec(request ?? '')?.[1];
  const isRerun = workflow !== null && run !== workflow;
  return {
    name: 'CircleCI',
    run:
      run === null
        ? null
        : {
            provider: 'circleci',
            server: server ?? cloud,
            repository: text(env, 'CIRCLE_PROJECT_ID') ?? `${owner ?? ''}/${name ?? ''}`,
            run,
          },
    attempt: workflow,
    source: url,
    repositoryName: name ?? repositoryName,
    repository,
    commit: text(env, 'CIRCLE_SHA1'),
    branch: nameText(env, 'CIRCLE_BRANCH'),
    tag,
    // Number and address of the job are its source. What is planned must be the same in every job of the run.
    build: null,
    // Whether a push, an API call or a schedule began it no variable says: `--trigger` does.
    trigger: isRerun ? 'rerun' : tag === null ? null : 'tag',
    actor: text(env, 'CIRCLE_USERNAME'),
    links: linksOf([
      'run',
      workflow === null || (server !== cloud && server !== cloudApp)
        ? null
        : `${cloudApp}/pipelines/workflows/${workflow}`,
    ]),
    pullRequest: requestId === undefined ? null : { id: requestId, url: request },
    environment: null,
  };
};
