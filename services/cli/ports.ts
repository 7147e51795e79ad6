import type { CheckTools } from '../core/check/check-record.ts';
import type { FillBody } from '../core/markers/codec.ts';
import type { FieldsOfShape } from '../core/markers/shape-field.ts';
import type { Position } from '../core/log/record.ts';
import type { FoldState } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import type { SpoolTime } from '../core/spool/spooled-marker.ts';
import type { LogSetting, Settings } from '../core/settings.ts';
import type { SettingsFile } from '../core/settings-file.ts';
import type { Archives } from '../ports/archive.ts';
import type { Captures } from '../ports/capture.ts';
import type { TokenList } from '../ports/caller-tokens.ts';
import type { Clock, Stop } from '../ports/clock.ts';
import type { PlanRedrive } from '../ports/dead-letters.ts';
import type { Explaining } from '../ports/explaining.ts';
import type { Git } from '../ports/git.ts';
import type { HttpClient } from '../ports/http.ts';
import type { Ids } from '../ports/ids.ts';
import type { Migrated, MigrationStep } from '../ports/migrating.ts';
import type { Numbering } from '../ports/numbering.ts';
import type { ReadTelemetry } from '../ports/otlp.ts';
import type { PlannedHereStore } from '../ports/planned-here.ts';
import type { ProblemAnswer, ProblemQuestion } from '../ports/problem-view.ts';
import type { FindProgram, KeptFile, RunProgram, WrapProgram } from '../ports/programs.ts';
import type { ProjectFiles } from '../ports/project-files.ts';
import type { Generation, ReadModelStore } from '../ports/read-model-store.ts';
import type { RecordLog } from '../ports/record-log.ts';
import type { Replaying } from '../ports/replaying.ts';
import type { PlanRetention } from '../ports/retention.ts';
import type { Signer } from '../ports/signer.ts';
import type { VerifierStatus, Verifying } from '../ports/verifying.ts';
import type { Spool } from '../ports/spool.ts';
import type { Yaml } from '../ports/yaml.ts';
import type { Environment } from '../sdk/ci/ci-job.ts';
import type { Note } from './terminal/note.ts';
import type { CliProblem, ProblemCode } from './problem.ts';

export type Terminal = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Width of the terminal, or null where the output is none. */
  readonly columns: number | null;
  readonly hasColour: boolean;
};

/** The half of a key that may be shown. */
export type PublicKey = {
  readonly principal: string;
  readonly keyId: string;
  readonly algorithm: 'ed25519';
  readonly publicKey: Uint8Array;
};

type Coded = {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint: string;
};

export type KeyFiles = {
  readonly read: (path: string) => Promise<Result<Signer, Coded>>;
  readonly readPublic: (path: string) => Promise<Result<PublicKey, Coded>>;
  /** Never replaces a file. */
  readonly create: (wanted: {
    readonly principal: string;
    readonly path: string;
  }) => Promise<
    Result<{ readonly key: PublicKey; readonly path: string; readonly publicPath: string }, Coded>
  >;
  /** Where a key of that name lies by default. */
  readonly pathOf: (name: string) => string;
};

/** The log itself, and read models that were folded up to its end. */
export type AtHand = {
  readonly log: RecordLog;
  readonly store: ReadModelStore;
  readonly generation: Generation;
  readonly state: FoldState;
};

export type FoldProgress = { readonly next: number; readonly end: number };

/** A service that runs in this process. */
export type Running = {
  readonly name: 'gateway' | 'projector' | 'analyser';
  /** Where it can be reached, and other things that its operator should know. */
  readonly lines: readonly string[];
  /** Settles when it has ended: with a problem if not by `stop`. Never rejects. */
  readonly ended: Promise<CliProblem | undefined>;
  readonly stop: () => Promise<void>;
};

export type ServiceName = Running['name'];

/** A log is to move. Its ends are opened for this, whatever the settings name. */
export type MigrateCommand = {
  readonly from: LogSetting;
  readonly to: LogSetting;
  readonly reason: string;
  readonly signer: Signer;
  readonly onProgress: (step: MigrationStep, next: number, end: number) => void;
};

/** Where settings come from: the environment before the settings file before what is built in. */
export type SettingSources = {
  /** Path of the settings file, or null: there is none. */
  readonly file: string | null;
  /** What the file gives to plans that leave it out, by option. */
  readonly defaults: SettingsFile['defaults'];
  /** By a setting's name in the environment. */
  readonly setting: (name: string) => {
    readonly from: 'environment' | 'file' | 'default';
    readonly value: string | null;
    /** Line of the file. */
    readonly line: number | null;
  };
};

/** Everything that the commands stand on. Nothing is opened before it is asked for. */
export type CliPorts = {
  readonly settings: Settings;
  readonly settingSources: SettingSources;
  /** Reads the settings again, for what was written since. */
  readonly readSettings: () => Result<Pick<CliPorts, 'settings' | 'settingSources'>, CliProblem>;
  readonly env: Environment;
  /** Name of this machine. */
  readonly host: string;
  readonly terminal: Terminal;
  /** Says on stderr what is no error. */
  readonly note: (note: Note) => void;
  /** From now on what `note` is told is kept back, until the answer is called: it answers what came meanwhile. */
  readonly holdNotes: () => () => readonly Note[];
  /** Whether stderr is read by programs, too. */
  readonly isJson: boolean;
  readonly clock: Clock;
  /** Milliseconds since the command was called, by a clock that nobody sets. */
  readonly sinceStartMs: () => number;
  readonly ids: Ids;
  readonly tools: CheckTools;
  readonly keys: KeyFiles;
  /** The list of those who may send markers without a key. */
  readonly tokens: () => Promise<TokenList>;
  readonly planned: PlannedHereStore;
  readonly numbering: Numbering;
  /** Markers that could not be delivered. */
  readonly spool: Spool;
  /** The clocks of this machine, as the spool reads them. */
  readonly spoolNow: () => SpoolTime;
  /**
   * Has a process of its own deliver what the spool holds, and tell OpenTelemetry of the marker in that line; it is not
   * waited for.
   */
  readonly flushApart: (keyFile: string | null, toldLine: string | null) => Promise<void>;
  /** The pieces of a text, of a file or of standard input (`-`). Rejects where it cannot be read. */
  readonly readPieces: (path: string) => AsyncIterable<string>;
  /** The gateway that PLIMSOLL_URL names, or null: commands go to the log itself. */
  readonly gateway: HttpClient | null;
  /** A client for another base address. */
  readonly httpTo: (baseUrl: string) => HttpClient;
  /** Address of the repository that the working folder belongs to, or null. */
  readonly repositoryAddress: () => Promise<string | null>;
  readonly git: Git;
  /** Whether what holds the log is there already: a folder that first use would make is not. Asking makes nothing. */
  readonly isMade: () => Promise<boolean>;
  /** The same, and of a log on Kafka the broker is asked. */
  readonly isLogThere: () => Promise<Result<boolean, CliProblem>>;
  /** The log, opened or made; nothing is folded. */
  readonly log: () => Promise<Result<RecordLog, CliProblem>>;
  readonly atHand: (
    onProgress: (progress: FoldProgress) => void,
  ) => Promise<Result<AtHand, CliProblem>>;
  /** The read models as they were before a position, folded anew. Who asks closes their store: it may be a file. */
  readonly atHandBefore: (
    position: Position,
    onProgress: (progress: FoldProgress) => void,
  ) => Promise<Result<AtHand, CliProblem>>;
  /** Generations of read models, in the store that the settings name; nothing is folded yet. */
  readonly replay: () => Promise<Result<Replaying, CliProblem>>;
  /** A whole number from 0 to 2^32 - 1, by chance. */
  readonly chance: () => number;
  /** Instances that started, apart from the log. */
  readonly instances: {
    /** Their topic, opened or made. */
    readonly topic: () => Promise<Result<RecordLog, CliProblem>>;
  };
  /** What is missing or wrong, by the log and the instances, folded to their ends. */
  readonly problems: (
    question: ProblemQuestion,
    onProgress: (progress: FoldProgress) => void,
  ) => Promise<Result<ProblemAnswer, CliProblem>>;
  /** A file's text, unless it is larger than that. */
  readonly readTextFile: (path: string, bytesMax: number) => Promise<Result<string, CliProblem>>;
  /** Files of the repository around the working folder. */
  readonly projectFiles: () => ProjectFiles;
  /** Writes a file anew. */
  readonly writeTextFile: (path: string, text: string) => Promise<Result<void, CliProblem>>;
  /** The samples that analyses rest on. */
  readonly explaining: () => Promise<Result<Explaining, CliProblem>>;
  /** Files of recorded telemetry. */
  readonly captures: Captures;
  readonly readTelemetry: () => Promise<ReadTelemetry>;
  readonly yaml: () => Promise<Yaml>;
  /** Completes what somebody told of a marker in JSON. */
  readonly bodyFiller: () => Promise<FillBody>;
  /** What can be said in each shape. */
  readonly shapeFields: () => Promise<FieldsOfShape>;
  /** What would become of dead letters that are appended again. */
  readonly planRedrive: (atHand: AtHand) => PlanRedrive;
  /** What the read models would forget. */
  readonly planRetention: (atHand: AtHand) => PlanRetention;
  readonly archives: Archives;
  /** For `decisions --exec`. */
  readonly findProgram: FindProgram;
  readonly runProgram: RunProgram;
  /** For `run`. */
  readonly wrapProgram: WrapProgram;
  readonly keptFile: KeptFile;
  readonly migrate: (command: MigrateCommand) => Promise<Result<Migrated, CliProblem>>;
  readonly start: (service: ServiceName) => Promise<Result<Running, CliProblem>>;
  /** The read models of the settings' store, to be compared with the log; nothing is folded into them. */
  readonly verifying: () => Promise<Result<Verifying, CliProblem>>;
  /** Lets the numbers of a verifier that goes on be read; answers where they can be. */
  readonly measureVerifier: (
    status: () => VerifierStatus,
  ) => Promise<Result<readonly string[], CliProblem>>;
  /** Removes telemetry that is past its time. */
  readonly prune: () => Promise<void>;
  /** Aborts when the operator asks to stop (Ctrl-C, SIGTERM). */
  readonly stop: Stop;
};
