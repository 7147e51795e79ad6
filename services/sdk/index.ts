// What pipelines and downstream programs import: `import { followMarkers } from 'plimsoll'`.
// oxlint-disable oxc/no-barrel-file
export type { Emitted, Emitter, EmitterProblem, FlushedSpool } from './emitter.ts';
export { createEmitter } from './emitter.ts';
export type { EmitterOptions } from './emitter-options.ts';
export type * from './marker-to-tell.ts';
export type { Baggage, TraceContext } from './baggage.ts';
export { openBaggage } from './baggage.ts';
export type { Fact, NoFact } from './fact.ts';
export type { FollowOptions } from './follow.ts';
export { followMarkers } from './follow.ts';
export type { DecisionAct, FollowDecisionsOptions, FollowedDecision } from './follow-decisions.ts';
export { followDecisions } from './follow-decisions.ts';
export { fromGateway } from './gateway-source.ts';
export type { KafkaSourceOptions } from './kafka-source.ts';
export { fromKafka } from './kafka-source.ts';
export type { Asked, Carried, FollowNote, RecordSource } from './record-source.ts';
export { FollowError } from './record-source.ts';
export type { DeploymentTold, HeaderSetter, NameDeployment } from './telemetry.ts';
export {
  deploymentAttributes,
  deploymentHeader,
  logFields,
  nameDeployment,
  runningDeployment,
} from './telemetry.ts';
export type { TrustLog, TrustLogOptions, VerifyWith } from './verify.ts';
export { openTrustLog, verifyAndDecode } from './verify.ts';
export type { Header, LogRecord, NewRecord, Position } from '../core/log/record.ts';
export type { Receipt } from '../core/markers/http-wire.ts';
export type * from '../core/markers/marker.ts';
export type { Result } from '../core/result.ts';
export type { KeyState, Trust } from '../core/trust/trust.ts';
