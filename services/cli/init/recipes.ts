import type { Snippet } from './deploy-script.ts';

// Rollouts of platforms, as scripts around .plimsoll/deploy.sh: what the platform says of the version goes into the
// marker, and the deployment counts as done when the platform says that it is.

export type RecipeName = 'kubernetes' | 'ecs' | 'lambda' | 'heroku';

export const recipeNames: readonly RecipeName[] = ['kubernetes', 'ecs', 'lambda', 'heroku'];

export const recipe = (name: RecipeName): Snippet => ({
  path: `.plimsoll/${name}.sh`,
  isExecutable: true,
  text: `#!/usr/bin/env bash\n${texts[name]}`,
});

const here = String.raw`here=$(cd "$(dirname "$0")" && pwd)`;

const texts: { readonly [Name in RecipeName]: string } = {
  kubernetes: String.raw`# A rollout of a Kubernetes Deployment. Made by "plimsoll init".
#
#   .plimsoll/kubernetes.sh ENVIRONMENT DEPLOYMENT IMAGE     IMAGE: registry/name:tag@sha256:...
#
# KUBE_NAMESPACE, KUBE_CONTAINER (default: the deployment's name) and ROLLOUT_TIMEOUT may be set. A rollout that
# does not end in time is undone, and the marker says failed.
set -euo pipefail
[ "$#" -eq 3 ] || { echo "usage: $0 ENVIRONMENT DEPLOYMENT IMAGE" >&2; exit 2; }
${here}
environment=$1
export DEPLOYMENT=$2 IMAGE=$3
export KUBE_NAMESPACE=${'$'}{KUBE_NAMESPACE:-default} KUBE_CONTAINER=${'$'}{KUBE_CONTAINER:-$2} ROLLOUT_TIMEOUT=${'$'}{ROLLOUT_TIMEOUT:-10m}

name=${'$'}{IMAGE%@*}
case "${'$'}{name##*/}" in
  *:*) version=${'$'}{name##*:} ;;
  *) version=${'$'}{IMAGE##*@} ;;
esac
options=(--strategy=rolling --resource="namespace=$KUBE_NAMESPACE")
case "$IMAGE" in *@sha256:*) options+=(--digest="sha256:${'$'}{IMAGE##*@sha256:}") ;; esac
cluster=$(kubectl config current-context 2>/dev/null) && options+=(--cluster="$cluster")

exec "$here/deploy.sh" "$environment" "$version" "${'$'}{options[@]}" -- bash -euc '
  kubectl --namespace "$KUBE_NAMESPACE" set image "deployment/$DEPLOYMENT" "$KUBE_CONTAINER=$IMAGE"
  if ! kubectl --namespace "$KUBE_NAMESPACE" rollout status "deployment/$DEPLOYMENT" --timeout="$ROLLOUT_TIMEOUT"; then
    kubectl --namespace "$KUBE_NAMESPACE" rollout undo "deployment/$DEPLOYMENT"
    exit 1
  fi
'
`,
  ecs: String.raw`# A new task definition of an Amazon ECS service. Made by "plimsoll init".
#
#   .plimsoll/ecs.sh ENVIRONMENT CLUSTER SERVICE TASK_DEFINITION     TASK_DEFINITION: family:revision
set -euo pipefail
[ "$#" -eq 4 ] || { echo "usage: $0 ENVIRONMENT CLUSTER SERVICE TASK_DEFINITION" >&2; exit 2; }
${here}
environment=$1
export CLUSTER=$2 SERVICE=$3 TASK_DEFINITION=$4

options=(--strategy=rolling --cluster="$CLUSTER")
# The image as the task definition has it; a digest says what really runs.
image=$(aws ecs describe-task-definition --task-definition "$TASK_DEFINITION" \
  --query 'taskDefinition.containerDefinitions[0].image' --output text)
case "$image" in *@sha256:*) options+=(--digest="sha256:${'$'}{image##*@sha256:}") ;; esac

exec "$here/deploy.sh" "$environment" "$TASK_DEFINITION" "${'$'}{options[@]}" -- bash -euc '
  aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$TASK_DEFINITION" --output text --query service.serviceArn
  # Answers when the service is stable; a circuit breaker that rolled back is stable, too, so ask what runs.
  aws ecs wait services-stable --cluster "$CLUSTER" --services "$SERVICE"
  running=$(aws ecs describe-services --cluster "$CLUSTER" --services "$SERVICE" \
    --query "services[0].deployments[?status=='"'PRIMARY'"'] | [0].taskDefinition" --output text)
  case "$running" in
    *"$TASK_DEFINITION") ;;
    *) echo "the service runs $running, not $TASK_DEFINITION" >&2; exit 1 ;;
  esac
'
`,
  lambda: String.raw`# A new version of an AWS Lambda function behind an alias. Made by "plimsoll init".
#
#   .plimsoll/lambda.sh ENVIRONMENT FUNCTION ALIAS ZIP_FILE
#
# CANARY_SHARE=0.1 leaves the alias with that share for the new version, and the deployment running: "plimsoll gate"
# then says whether to go on. Without it all traffic goes to the new version at once.
set -euo pipefail
[ "$#" -eq 4 ] || { echo "usage: $0 ENVIRONMENT FUNCTION ALIAS ZIP_FILE" >&2; exit 2; }
${here}
environment=$1
export FUNCTION=$2 ALIAS=$3
zip=$4

aws lambda update-function-code --function-name "$FUNCTION" --zip-file "fileb://$zip" --query CodeSha256 --output text
aws lambda wait function-updated --function-name "$FUNCTION"
NEW_VERSION=$(aws lambda publish-version --function-name "$FUNCTION" --query Version --output text)
export NEW_VERSION
options=(--function-version="$NEW_VERSION" --function-alias="$ALIAS")

if [ -n "${'$'}{CANARY_SHARE:-}" ]; then
  old=$(aws lambda get-alias --function-name "$FUNCTION" --name "$ALIAS" --query FunctionVersion --output text)
  LEAVE_RUNNING=1 exec "$here/deploy.sh" "$environment" "$NEW_VERSION" --strategy=canary \
    --canary-share="$CANARY_SHARE" "${'$'}{options[@]}" -- \
    aws lambda update-alias --function-name "$FUNCTION" --name "$ALIAS" --function-version "$old" \
    --routing-config "AdditionalVersionWeights={$NEW_VERSION=$CANARY_SHARE}"
fi

exec "$here/deploy.sh" "$environment" "$NEW_VERSION" "${'$'}{options[@]}" -- \
  aws lambda update-alias --function-name "$FUNCTION" --name "$ALIAS" --function-version "$NEW_VERSION" \
  --routing-config 'AdditionalVersionWeights={}'
`,
  heroku: String.raw`# A release of a container image on Heroku. Made by "plimsoll init".
#
#   .plimsoll/heroku.sh ENVIRONMENT APP VERSION [PROCESS_TYPE]...     (default: web)
set -euo pipefail
[ "$#" -ge 3 ] || { echo "usage: $0 ENVIRONMENT APP VERSION [PROCESS_TYPE]..." >&2; exit 2; }
${here}
environment=$1 app=$2 version=$3
shift 3
[ "$#" -gt 0 ] || set -- web

exec "$here/deploy.sh" "$environment" "$version" --strategy=all-at-once \
  --link="app=https://dashboard.heroku.com/apps/$app" -- \
  heroku container:release "$@" --app "$app"
`,
};
