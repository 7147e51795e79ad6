import { isJsonFields, jsonFieldsIn } from '../core/json-text.ts';
import type { Text } from '../core/markers/crypto.ts';
import type { KnownDeployment } from '../core/telemetry/export/known-deployment.ts';
import { knownFromLine } from '../core/telemetry/export/known-deployment.ts';
import type { HttpClient } from '../ports/http.ts';

/** What a gateway knows of a deployment; of the attempt with that number, or the last. Null: it does not say. */
export const askDeployment = async (
  gateway: HttpClient,
  text: Pick<Text, 'decodeUtf8'>,
  { deployment, attempt }: { readonly deployment: string; readonly attempt: number | null },
  withinMs: number,
): Promise<KnownDeployment | null> => {
  const path = `/v1/deployments/${encodeURIComponent(deployment)}`;
  const headers = { accept: 'application/json' };
  const answer = await gateway({ method: 'GET', path, headers }, withinMs);
  if (!answer.ok || answer.value.status !== 200) return null;
  const item = jsonFieldsIn(text.decodeUtf8(answer.value.body) ?? '')?.['item'];
  return isJsonFields(item) ? knownFromLine(item, attempt) : null;
};
